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

/** The limit of browsers for the bodies of all outstanding keepalive requests, in bytes. */
const KEEPALIVE_BYTES = 60_000;

/** The request of a batch. */
interface BatchRequest {
  readonly request: HttpRequest;
  /** The bytes of the browser's keepalive limit that it uses. */
  readonly keepaliveBytes: number;
}

/**
 * Creates the request of a batch, whose parts share one authorization.
 *
 * Its progress is reported to each part. It outlives the page if any part should, and if the keepalive limit
 * allows it.
 *
 * @see [MS-UCWA] BatchingRequests
 *
 * @param takenBytes The bytes of the browser's keepalive limit that are in use.
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
  const observers = requests.flatMap(({ onProgress }) => onProgress ?? []);
  const outlives = requests.some(({ keepalive }) => keepalive === true);
  const bytes = new TextEncoder().encode(body).length;
  const isKeepalive = outlives && takenBytes + bytes <= KEEPALIVE_BYTES;
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
    ...(isKeepalive ? { keepalive: true } : {}),
    ...(observers.length === 0
      ? {}
      : { onProgress: (progress: RequestProgress) => observers.forEach((observe) => observe(progress)) }),
  };
  return { request, keepaliveBytes: isKeepalive ? bytes : 0 };
}

/**
 * Returns the responses to the parts of a batch, matched by position.
 *
 * A part that is not an HTTP response is a {@link DecodeError} of its request alone, and so is a part that is
 * missing from a truncated response. If the number of parts is wrong in another way, no position can be
 * trusted, and every request errors.
 *
 * @see [MS-UCWA] GroupingRequestsInABatch
 *
 * @param read Called with the parts before any response is emitted, unless their number is wrong.
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
    if (part !== undefined) return responded(request, part, response.noteDropped);
    return notAsExpected(`/${index}`, 'an HTTP answer', index < parts.length ? 'something else' : 'nothing');
  });
}

/** Returns the response to a batch as the response to one of its requests. */
export function sharedAnswer(request: HttpRequest, response: HttpResponse, text: string): HttpResponse {
  return { ...response, url: request.url, body$: of(new TextEncoder().encode(text)) };
}

function responded(
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
  // The status of a part shows whether the server acted, like that of a separate response.
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
