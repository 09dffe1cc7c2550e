import {
  asyncScheduler,
  catchError,
  defer,
  map,
  mergeMap,
  NEVER,
  type Observable,
  type OperatorFunction,
  race,
  Subject,
  switchMap,
  tap,
  throwError,
  timer,
  toArray,
} from 'rxjs';
import { retryAfterMs } from '../core/backoff.ts';
import { DecodeError, HttpError, NetworkError, type RequestIdentity } from '../core/errors.ts';
import type { HttpRequest, HttpResponse, RequestProgress, Transport } from '../core/transport.ts';
import { EwsError, type OperationIdentity, SoapFault } from './errors.ts';
import { statusHintOf } from './hints.ts';
import { parseMessages, type ParserOptions } from './parser.ts';
import { parseStream, type StreamedMessage } from './streamingParser.ts';
import type { EwsMessage, ResponseMessage } from './wire.ts';

/** One operation on its way to the server. */
export interface SoapCall extends OperationIdentity {
  readonly envelope: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly onProgress?: HttpRequest['onProgress'];
  readonly keepalive?: boolean;
  /** How long to wait for the whole answer, in milliseconds; then there is none. @default without end */
  readonly answerWithinMs?: number;
  /** Called with events of the answer while it arrives; it brings those that are left. @default all come with it */
  readonly onEvents?: ParserOptions['onEvents'];
}

/**
 * Returns an Observable that sends a SOAP envelope for each subscriber, emits the response message that
 * answers it, and completes.
 *
 * It errors with a {@link SoapFault} or an {@link EwsError} where the server answers that it failed, with an
 * {@link HttpError} for a status that brings no SOAP, and with a {@link DecodeError} for an answer that is
 * none. A refusal is told as `undone`: the server created nothing.
 */
export function soapCall(transport: Transport, call: SoapCall): Observable<ResponseMessage> {
  const { onProgress } = call;
  const answer$ = (progress: HttpRequest['onProgress']): Observable<EwsMessage[]> => {
    const request = requestFor({ ...call, onProgress: progress });
    return defer(() => transport(request)).pipe(
      mergeMap((response) => messagesOf(response, request, call, parseMessages).pipe(toArray())),
    );
  };
  return within(call, answer$).pipe(
    map((messages) => answerIn(messages, call)),
    tap({
      error: (error: unknown) => {
        if (error instanceof SoapFault || error instanceof EwsError) onProgress?.('undone');
      },
    }),
  );
}

/**
 * A connection that has died without a word is no different from one that broke. The time runs from when the
 * request is sent: it may have waited for a token, or for its turn.
 */
function within<Value>(
  { onProgress, answerWithinMs: ms = Infinity, url }: SoapCall,
  answer$: (onProgress: HttpRequest['onProgress']) => Observable<Value>,
): Observable<Value> {
  if (ms === Infinity) return answer$(onProgress);
  const silence = (): Error => new NetworkError(`no answer in ${ms / 1000} seconds`, { method: 'POST', url });
  return defer(() => {
    const progress$ = new Subject<RequestProgress>();
    const noting = (progress: RequestProgress): void => {
      onProgress?.(progress);
      progress$.next(progress);
    };
    const silence$ = progress$.pipe(
      switchMap((progress) => (progress === 'sent' ? timer(ms) : NEVER)),
      mergeMap(() => throwError(silence)),
    );
    return race(silence$, answer$(noting));
  });
}

/** One operation whose answer goes on and on. */
export interface SoapStream extends SoapCall {
  /** Called with each piece of the answer, also where it brings no whole message yet. */
  readonly onBytes: () => void;
}

/**
 * Returns an Observable that sends a SOAP envelope for each subscriber and emits the messages of the answer as
 * they arrive, faults and errors too, and completes when the body ends. What cannot be read is emitted in its
 * place.
 *
 * It errors with an {@link HttpError} for a status that brings no SOAP, with a {@link DecodeError} for an
 * answer that is none, and with a {@link NetworkError} when it breaks off.
 */
export function soapStream(transport: Transport, call: SoapStream): Observable<StreamedMessage> {
  // Who compresses a stream gathers what is to be compressed, and holds it back.
  const request = requestFor({ ...call, headers: { ...call.headers, 'accept-encoding': 'identity' } });
  return defer(() => transport(request)).pipe(
    mergeMap(({ body$, ...response }) => {
      const heard = { ...response, body$: body$.pipe(tap(() => call.onBytes())) };
      return messagesOf(heard, request, call, response.status === 500 ? parseMessages : parseStream);
    }),
  );
}

function requestFor({ url, envelope, headers, onProgress, keepalive }: SoapCall): HttpRequest {
  return {
    method: 'POST',
    url,
    headers: { 'content-type': 'text/xml; charset=utf-8', accept: 'text/xml', ...headers },
    body: envelope,
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(keepalive === undefined ? {} : { keepalive }),
  };
}

/** Whether a Content-Type may be that of a SOAP envelope. */
export function isXml(contentType: string): boolean {
  return /^(text|application)\/([\w.-]+\+)?xml\b/i.test(contentType);
}

/** Status 500 brings a fault, if the server itself says it and not one in between. */
function messagesOf<Message extends StreamedMessage>(
  response: HttpResponse,
  request: RequestIdentity,
  { operation, onEvents }: Pick<SoapCall, 'operation' | 'onEvents'>,
  parse: (options: ParserOptions) => OperatorFunction<Uint8Array, Message>,
): Observable<Message> {
  const { status, headers, body$ } = response;
  const subject = `${operation} response`;
  const contentType = headers.get('content-type');
  if (status !== 200 && status !== 500) return throwError(() => httpError(response, request));
  if (contentType !== undefined && !isXml(contentType)) {
    return throwError(() => (status === 500 ? httpError(response, request) : notXml(subject, contentType)));
  }
  return body$.pipe(
    parse(onEvents === undefined || status !== 200 ? { subject } : { subject, onEvents }),
    tap(({ type }) => {
      // There are servers that send a second answer behind a fault: it would be taken for that of the next request.
      if (type === 'fault') response.discardConnection?.();
    }),
    catchError((error: unknown) =>
      throwError(() =>
        status === 500 && error instanceof DecodeError ? httpError(response, request, error) : error,
      ),
    ),
  );
}

function answerIn(messages: readonly EwsMessage[], call: SoapCall): ResponseMessage {
  const { operation } = call;
  const [message] = messages;
  if (message?.type === 'fault') throw new SoapFault(call, message);
  const expected = `${operation}Response`;
  if (message?.operation !== expected) {
    throw new DecodeError(`${operation} response`, {
      path: '/Envelope/Body',
      expected: `${expected} with a response message`,
      actual: message === undefined ? 'none' : message.operation,
    });
  }
  if (message.responseClass === 'Error') throw new EwsError(call, message);
  return message;
}

function httpError({ status, headers }: HttpResponse, request: RequestIdentity, cause?: unknown): HttpError {
  return new HttpError(status, request, {
    retryAfterMs: retryAfterMs(headers.get('retry-after'), asyncScheduler.now()),
    hint: statusHintOf(status),
    cause,
  });
}

function notXml(subject: string, contentType: string): DecodeError {
  const type = contentType
    .slice(0, contentType.indexOf(';') + 1 || undefined)
    .replace(';', '')
    .slice(0, 40);
  return new DecodeError(subject, {
    path: '',
    expected: 'a SOAP envelope in XML',
    actual: `${type}: a proxy or login page in between?`,
  });
}
