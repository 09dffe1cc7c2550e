import { concatMap, defer, forkJoin, map, type Observable, of, reduce } from 'rxjs';
import { httpUrl } from '../../../core/httpUrl.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../../core/transport/transport.ts';
import { standardHeaders } from '../../requestLog.ts';
import { type SimulatedResponse, errorResponse, responseTo } from '../responses.ts';

/**
 * The format of a response to a batch; all but `plain` occur in examples of the documentation.
 *
 * - `plain`: follows the rules.
 * - `bom`, `questionMark`: this character precedes the status line of each part.
 * - `spaced`: lines end with a line feed, colons are surrounded by spaces, and the status line has none.
 * - `unclosed`: the last boundary is not a closing one.
 *
 * @inline
 */
export type BatchShape = 'plain' | 'bom' | 'questionMark' | 'spaced' | 'unclosed';

/** All formats. */
export const BATCH_SHAPES: readonly BatchShape[] = ['plain', 'bom', 'questionMark', 'spaced', 'unclosed'];

/** The rules for batches. */
export interface BatchRules {
  /** The largest number of parts. */
  readonly maxParts: number;
  readonly shape: BatchShape;
}

interface ResponsePart {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const LINE = '\r\n';
const TOO_MANY = errorResponse(429, 'TooManyRequests');
const MALFORMED = errorResponse(400, 'BadRequest', 'DeserializationFailure');
/** The response to a part that batches do not support. @see [MS-UCWA] BatchingRequests, batch_ref */
const UNSUPPORTED = errorResponse(409, 'Conflict');
const NEVER_IN_A_BATCH = /\/(?:batch|events|photos?)(?:\/|$)/;

/**
 * Responds to a batch, after executing its parts in order.
 *
 * It accepts valid batches and the deviations in the documentation: a last boundary that is not a closing
 * one, a part without the blank line after its headers, missing or additional spaces. Any other malformed
 * part fails the whole batch, and so do too many parts (429). A part without an authorization uses that of
 * the batch. If the connection of a part breaks, that of the batch does.
 *
 * @param execute Executes one part
 * @see [MS-UCWA] BatchingRequests
 */
export function respondToBatch(
  rules: BatchRules,
  request: HttpRequest,
  execute: Transport,
): Observable<HttpResponse> {
  const refused = (response: SimulatedResponse): Observable<HttpResponse> =>
    of(responseTo(request, response));
  if (request.method !== 'POST') return refused(errorResponse(405, 'MethodNotAllowed'));
  const [, quoted, boundary = quoted] =
    /^multipart\/batching\s*;\s*boundary=(?:"([^"]+)"|([^\s;"]+))$/i.exec(
      request.headers?.['content-type'] ?? '',
    ) ?? [];
  if (boundary === undefined) return refused(errorResponse(415, 'UnsupportedMediaType'));
  const parts = partsIn(request, boundary);
  if (parts === undefined) return refused(MALFORMED);
  if (parts.length > rules.maxParts) return refused(TOO_MANY);
  const responses = parts.map((part) => {
    const isSupported = !NEVER_IN_A_BATCH.test(new URL(part.url).pathname);
    return (isSupported ? execute(part) : of(responseTo(part, UNSUPPORTED))).pipe(concatMap(responsePart));
  });
  return forkJoin(responses).pipe(map((written) => batchResponse(request.url, written, rules.shape)));
}

function partsIn(
  { url, headers = {}, body = '' }: HttpRequest,
  boundary: string,
): readonly HttpRequest[] | undefined {
  const [, ...pieces] = `${LINE}${body}`.split(`${LINE}--${boundary}`);
  // One documented batch ends with a boundary that is not a closing one.
  if (!/^(?:--|\s*$)/.test(pieces.pop() ?? 'none') || pieces.length === 0) return undefined;
  const authorization = headers['authorization'];
  const parts = pieces.map((piece) => partIn(piece, url, authorization));
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

function partIn(piece: string, base: string, authorization: string | undefined): HttpRequest | undefined {
  const [own = '', head = '', ...rest] = piece.split(`${LINE}${LINE}`);
  const ownHeaders = headersIn(own.split(LINE).slice(1));
  if (!/^application\/http\s*;\s*msgtype=request$/i.test(ownHeaders?.['content-type'] ?? ''))
    return undefined;
  // Without a body, the blank line after the headers may be part of the boundary.
  const [line = '', ...lines] = head.replace(/\r\n$/, '').split(LINE);
  const [, method, target] = /^([A-Z]+) ?(\/\S*?|https?:\S+?) ?HTTP\/1\.1$/.exec(line) ?? [];
  const headers = headersIn(lines);
  const url = target === undefined ? undefined : httpUrl(target, base);
  if (method === undefined || url === undefined || headers === undefined) return undefined;
  const body = rest.join(`${LINE}${LINE}`);
  const length = headers['content-length'];
  if (length !== undefined && Number(length) !== new TextEncoder().encode(body).length) return undefined;
  return {
    ...{ method, url: url.href },
    headers: { ...(authorization === undefined ? {} : { authorization }), ...headers },
    ...(body === '' ? {} : { body }),
  };
}

/** Returns the headers in these lines; undefined if one is malformed. */
function headersIn(lines: readonly string[]): Readonly<Record<string, string>> | undefined {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name, value = ''] = /^([\w-]+) *:(.*)$/.exec(line) ?? [];
    if (name === undefined) return undefined;
    headers[name.toLowerCase()] = value.trim();
  }
  return headers;
}

function responsePart({ status, headers, body$ }: HttpResponse): Observable<ResponsePart> {
  const decoder = new TextDecoder();
  return body$.pipe(
    reduce((text, chunk) => text + decoder.decode(chunk, { stream: true }), ''),
    map((body) => ({ status, headers: standardHeaders(headers), body })),
  );
}

function batchResponse(url: string, parts: readonly ResponsePart[], shape: BatchShape): HttpResponse {
  const boundary = `3968fb75-0b0e-4ab8-8d3e-${String(parts.length).padStart(12, '0')}`;
  const isSpaced = shape === 'spaced';
  const [line, colon] = isSpaced ? ['\n', ' : '] : [LINE, ': '];
  const inFront = { bom: '\uFEFF', questionMark: '?', plain: '', spaced: '', unclosed: '' }[shape];
  const written = parts.map(({ status, headers, body }) =>
    [
      `--${boundary}`,
      `Content-Type${colon}application/http; msgtype=response`,
      '',
      `${inFront}HTTP/1.1${isSpaced ? '' : ' '}${status}${isSpaced ? '' : ' '}${status < 400 ? 'OK' : 'Error'}`,
      ...Object.entries(headers).map(([name, value]) => `${name}${colon}${value}`),
      '',
      body,
      '',
    ].join(line),
  );
  const text = `${written.join('')}--${boundary}${shape === 'unclosed' ? '' : '--'}${line}`;
  const named = isSpaced ? boundary : `"${boundary}"`;
  return {
    ...{ status: 200, url },
    headers: headersFrom({ 'content-type': `multipart/batching; boundary=${named}` }),
    body$: defer(() => of(new TextEncoder().encode(text))),
  };
}
