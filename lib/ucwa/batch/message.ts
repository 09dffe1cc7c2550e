import { defer, noop, type Observable, of, throwError } from 'rxjs';
import { DecodeError } from '../../core/errors.ts';
import { hasTooManyValues, MOST_VALUES } from '../../core/json.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { withProgress } from '../../core/transport/withProgress.ts';
import { mediaType } from '../../core/text.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type RequestProgress,
} from '../../core/transport/transport.ts';
import { type PartAnswer, readBatch, writeBatch } from '../protocol/multipart.ts';

/** Browsers refuse keepalive requests whose bodies are larger, all that are under way taken together. */
const KEEPALIVE_BYTES = 60_000;

/** A request that carries others. */
interface BatchRequest {
  readonly request: HttpRequest;
  /** How much of what a browser keeps alive it takes. */
  readonly keepaliveBytes: number;
}

/**
 * Writes the request that carries others, all of one authorization. [BatchingRequests]
 *
 * What becomes of it becomes of each; it outlives the page if any of them is to, and there is room for it.
 *
 * @param takenBytes How much of what a browser keeps alive is taken already.
 */
export function batchRequest(
  requests: readonly HttpRequest[],
  link: string,
  takenBytes: number,
): BatchRequest {
  const { contentType, body } = writeBatch(requests);
  const [first] = requests;
  const authorization = first?.headers?.['authorization'];
  const credentials = first?.credentials;
  const told = requests.flatMap(({ onProgress }) => onProgress ?? []);
  const outlives = requests.some(({ keepalive }) => keepalive === true);
  const bytes = new TextEncoder().encode(body).length;
  const isKeptAlive = outlives && takenBytes + bytes <= KEEPALIVE_BYTES;
  const request: HttpRequest = {
    method: 'POST',
    url: link,
    body,
    headers: {
      accept: 'multipart/batching',
      'content-type': contentType,
      ...(authorization === undefined ? {} : { authorization }),
    },
    ...(credentials === undefined ? {} : { credentials }),
    ...(isKeptAlive ? { keepalive: true } : {}),
    ...(told.length === 0
      ? {}
      : { onProgress: (progress: RequestProgress) => told.forEach((tell) => tell(progress)) }),
  };
  return { request, keepaliveBytes: isKeptAlive ? bytes : 0 };
}

/**
 * The answers to the requests of a batch, matched by their position. [GroupingRequestsInABatch]
 *
 * A part that is no HTTP answer is a {@link DecodeError} of its request alone, and so is one that is missing
 * from an answer that was cut. Where their number is wrong otherwise, no position can be trusted: it is the
 * error of every request.
 *
 * @param read Called with the parts before any answer is emitted, unless their number is wrong.
 */
export function answersOf(
  requests: readonly HttpRequest[],
  response: HttpResponse,
  text: string,
  maxParts: number = DEFAULT_LIMITS.parts,
  read: (parts: readonly (PartAnswer | undefined)[]) => void = noop,
): readonly Observable<HttpResponse>[] {
  if (hasTooManyValues(text)) {
    return requests.map(() => notAsExpected('', `at most ${MOST_VALUES} values`, 'more'));
  }
  const type = response.headers.get('content-type');
  const batch = readBatch(type, text, maxParts);
  if (batch === undefined) {
    const actual = mediaType(type);
    const expected = actual.startsWith('multipart/')
      ? `1 to ${maxParts} delimited parts`
      : 'multipart/batching';
    return requests.map(() => notAsExpected('', expected, `a body of type ${actual}`));
  }
  const { parts, isClosed } = batch;
  if (parts.length > requests.length || (isClosed && parts.length < requests.length)) {
    return requests.map(() => notAsExpected('', `${requests.length} parts`, `${parts.length}`));
  }
  read(parts);
  return requests.map((request, index) => {
    const part = parts[index];
    if (part !== undefined) return answered(request, part, response.noteDropped);
    return notAsExpected(`/${index}`, 'an HTTP answer', index < parts.length ? 'something else' : 'nothing');
  });
}

/** The answer to a batch as that of one of its requests. */
export function sharedAnswer(request: HttpRequest, response: HttpResponse, text: string): HttpResponse {
  return { ...response, url: request.url, body$: of(new TextEncoder().encode(text)) };
}

function answered(
  request: HttpRequest,
  { status, headers, body }: PartAnswer,
  noteDropped: HttpResponse['noteDropped'],
): Observable<HttpResponse> {
  const { onProgress } = request;
  const body$ = of(new TextEncoder().encode(body));
  const response = {
    ...{ status, headers: headersFrom(headers), url: request.url, body$ },
    ...(noteDropped === undefined ? {} : { noteDropped }),
  };
  if (onProgress === undefined) return of(response);
  // An answer of its own would say whether the server acted: that of the part says the same.
  return withProgress(() => of(response))({
    ...request,
    onProgress: (progress) => {
      if (progress === 'notProcessed') onProgress(progress);
    },
  });
}

function notAsExpected(path: string, expected: string, actual: string): Observable<never> {
  return defer(() =>
    throwError(() => new DecodeError('the answer to the batch', { path, expected, actual })),
  );
}
