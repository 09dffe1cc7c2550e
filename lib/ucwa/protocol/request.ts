import type { Decoder } from 'io-ts';
import { asyncScheduler, catchError, map, mergeMap, type Observable, of, throwError } from 'rxjs';
import { retryAfterMs } from '../../core/backoff/backoff.ts';
import { decodeNoting } from '../../core/decode.ts';
import { defined } from '../../core/defined.ts';
import { DecodeError, HttpError, NetworkError } from '../../core/errors.ts';
import { parseJson } from '../../core/json.ts';
import { switchWhen } from '../../core/rx/switchWhen.ts';
import { isHtml, mediaType } from '../../core/text.ts';
import {
  type HttpRequest,
  type HttpResponse,
  readText,
  type Transport,
} from '../../core/transport/transport.ts';
import { webPage } from '../../core/transport/withoutWebPages.ts';
import { hintFor } from './failures.ts';
import { type Reason, reasonCodec } from './resource.ts';

/** A request to UCWA. The body is sent as JSON. */
export interface UcwaRequest extends Omit<HttpRequest, 'body'> {
  readonly body?: object;
}

/** A decoded response. */
export interface DecodedResponse<Value> {
  readonly value: Value;
  readonly status: number;
  /** The URL of the response, which relative links refer to. */
  readonly url: string;
}

/** The bytes of an error body that are read. */
const MAX_REFUSAL_BYTES = 65_536;

/**
 * Returns an Observable that sends a request and emits the decoded response.
 *
 * It errors with an {@link HttpError} if the server refuses, with the server's code and a remedy; with a
 * {@link DecodeError} if the response does not match the codec or is no JSON; with a {@link NetworkError} if
 * it is empty or a web page, which is not from the server; and with the errors of the transport.
 *
 * @param subject The name of the resource, for errors.
 */
export function requestJson<Value>(
  transport: Transport,
  request: UcwaRequest,
  codec: Decoder<unknown, Value>,
  subject: string,
): Observable<DecodedResponse<Value>> {
  return accepted(transport, request).pipe(
    mergeMap((response) =>
      // The transport limits it to limits.responseBytes.
      readText(response, subject, Infinity).pipe(
        map((text) => {
          const { status, url } = response;
          const json = jsonOf(request, response, text, subject);
          const value = decodeNoting(codec, subject, json, response.noteDropped);
          return { value, status, url };
        }),
      ),
    ),
  );
}

/**
 * Returns an Observable that sends a request without a response body, emits once, and completes.
 *
 * It errors as {@link requestJson} does.
 */
export function requestNothing(
  transport: Transport,
  request: UcwaRequest,
  subject: string,
): Observable<void> {
  return accepted(transport, request).pipe(
    map((response) => {
      const type = response.headers.get('content-type') ?? '';
      // As a part of a batch, too, of which the transport sees only the whole.
      if (/html/i.test(type)) throw webPage(request);
      if (/xml/i.test(type)) throw notUcwa(type, subject);
    }),
  );
}

function accepted(transport: Transport, request: UcwaRequest): Observable<HttpResponse> {
  const { body, headers, ...rest } = request;
  const sent: HttpRequest = {
    ...rest,
    headers: {
      accept: 'application/json',
      ...defined({ 'content-type': body && 'application/json' }),
      ...headers,
    },
    ...defined({ body: body && JSON.stringify(body) }),
  };
  return transport(sent).pipe(
    switchWhen((response) =>
      response.status >= 200 && response.status < 300 ? undefined : refused(response, sent),
    ),
  );
}

function refused(response: HttpResponse, request: HttpRequest): Observable<never> {
  return readText(response, 'error', MAX_REFUSAL_BYTES).pipe(
    map((text) => reasonIn(text, response)),
    // The status is enough if the body cannot be read.
    catchError(() => of(undefined)),
    mergeMap((reason) => {
      const { status } = response;
      const { code, subcode } = reason ?? {};
      const asked = retryAfterMs(response.headers.get('retry-after'), asyncScheduler.now());
      const hint = hintFor({ status, code, subcode });
      return throwError(() => new HttpError(status, request, { code, subcode, retryAfterMs: asked, hint }));
    }),
  );
}

/** Returns the reason in the body of an error; undefined if the body is not UCWA's. */
export function reasonIn(
  text: string,
  { noteDropped }: Pick<HttpResponse, 'noteDropped'> = {},
): Reason | undefined {
  try {
    return decodeNoting(reasonCodec, 'error', parseJson(text, 'error'), noteDropped);
  } catch {
    return undefined;
  }
}

function jsonOf(request: UcwaRequest, { headers }: HttpResponse, text: string, subject: string): unknown {
  // Whatever its type: a proxy may claim that its page is JSON.
  if (isHtml(text)) throw webPage(request);
  const type = headers.get('content-type');
  if (type !== undefined && !/json/i.test(type)) throw notUcwa(type, subject);
  if (text.trim() === '') throw new NetworkError('the response is empty', request);
  return parseJson(text, subject);
}

function notUcwa(type: string, subject: string): DecodeError {
  return new DecodeError(subject, {
    path: '',
    expected: 'a response of UCWA',
    actual: `one of type ${mediaType(type)}, as from a proxy`,
  });
}
