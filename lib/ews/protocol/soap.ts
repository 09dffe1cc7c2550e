import {
  asyncScheduler,
  catchError,
  defer,
  map,
  mergeAll,
  mergeMap,
  Observable,
  type OperatorFunction,
  pipe,
  tap,
  throwError,
  throwIfEmpty,
  takeWhile,
  timer,
} from 'rxjs';
import { retryAfterMs } from '../../core/backoff/backoff.ts';
import { DecodeError, HttpError, NetworkError, type RequestIdentity } from '../../core/errors.ts';
import { type Limits, DEFAULT_LIMITS } from '../../core/limits.ts';
import { isHtml, mediaType } from '../../core/text.ts';
import { webPage } from '../../core/transport/withoutWebPages.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../core/transport/transport.ts';
import { EwsError, type OperationIdentity, SoapFault, statusAdviceFor } from './errors.ts';
import type { EwsMessage, ResponseMessage } from './messages.ts';
import { type ParserOptions, envelopeReader } from './parser.ts';
import { parseStream, type StreamedMessage } from './streamParser.ts';

/** One operation to send to the server. */
export interface SoapCall extends OperationIdentity {
  readonly envelope: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly onProgress?: HttpRequest['onProgress'];
  readonly keepalive?: boolean;
  /** The limits of the response. @default those of the library */
  readonly limits?: Pick<Limits, 'depth' | 'messageCharacters' | 'drainBytes' | 'drainSeconds'>;
  /**
   * Called with events of the incomplete response, which then contains only the others.
   * @default it contains all
   */
  readonly onEvents?: ParserOptions['onEvents'];
}

/**
 * Returns an Observable that sends a SOAP envelope for each subscriber and emits the response message.
 *
 * Only the first envelope of the response is read. It errors with a {@link SoapFault} or an {@link EwsError}
 * if the operation failed, with an {@link HttpError} for a status without SOAP, and with a {@link
 * DecodeError} for a response that is not EWS. A failed operation has created nothing on the server:
 * `onProgress` gets `notProcessed`.
 */
export function soapCall(transport: Transport, call: SoapCall): Observable<ResponseMessage> {
  const request = requestFor(call);
  return defer(() => transport(request)).pipe(
    mergeMap((response) => messagesOf(response, request, call)),
    map((messages) => responseIn(messages, call)),
    tap({
      error: (error: unknown) => {
        if (error instanceof SoapFault || error instanceof EwsError) call.onProgress?.('notProcessed');
      },
    }),
  );
}

/**
 * Returns an Observable that sends a SOAP envelope for each subscriber, and emits messages as they arrive.
 *
 * Faults, errors and unreadable envelopes are emitted too. It completes with the body. It errors with an
 * {@link HttpError} for a status without SOAP, with a {@link DecodeError} for a response that is not EWS, and
 * with a {@link NetworkError} if the response breaks off.
 */
export function soapStream(transport: Transport, call: SoapCall): Observable<StreamedMessage> {
  // A server that compresses a stream buffers its messages.
  const request = requestFor({ ...call, headers: { ...call.headers, 'accept-encoding': 'identity' } });
  return defer(() => transport(request)).pipe(
    mergeMap((response) =>
      response.status === 500
        ? messagesOf(response, request, call).pipe<StreamedMessage>(mergeAll())
        : read(response, request, call, (options, isPage) =>
            pipe(parseStream(options), tap(refusingPages(request, isPage))),
          ).pipe(tap(discardingAfterFault(response))),
    ),
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

/** Returns whether a Content-Type may be that of a SOAP envelope. */
export function isXml(contentType: string): boolean {
  return /^(text|application)\/([\w.-]+\+)?xml\b/i.test(contentType);
}

/** Some servers send a second response after a fault, which the next request would receive. */
function discardingAfterFault({ discardConnection }: HttpResponse): (message: StreamedMessage) => void {
  return ({ type }) => {
    if (type === 'fault') discardConnection?.();
  };
}

/** The page of a portal is no unreadable envelope: waiting helps, and a new subscription does not. */
function refusingPages(request: RequestIdentity, isPage: () => boolean): (message: StreamedMessage) => void {
  return ({ type }) => {
    if (type === 'unreadable' && isPage()) throw webPage(request);
  };
}

function messagesOf(
  response: HttpResponse,
  request: RequestIdentity,
  call: SoapCall,
): Observable<readonly EwsMessage[]> {
  const onMessage = discardingAfterFault(response);
  const onEvents = response.status === 200 ? call.onEvents : undefined;
  return read(response, request, call, (options) =>
    parseResponse({ ...call.limits, ...options, onMessage, ...(onEvents === undefined ? {} : { onEvents }) }),
  ).pipe(
    // Exchange sends a fault with status 500. A proxy, or a server that shuts down, sends an empty body.
    throwIfEmpty(() => (response.status === 500 ? httpError(response, request) : blankResponse(request))),
    tap((messages) => {
      if (response.status === 500 && messages.length === 0) throw httpError(response, request);
    }),
  );
}

/** How many bytes show whether a body is a web page. */
const START_BYTES = 256;

/** A status 500 of the server itself has a fault; one of a proxy has none. */
function read<Messages>(
  response: HttpResponse,
  request: RequestIdentity,
  { operation, limits }: SoapCall,
  parse: (options: ParserOptions, isPage: () => boolean) => OperatorFunction<Uint8Array, Messages>,
): Observable<Messages> {
  const { status, headers, body$ } = response;
  const subject = `${operation} response`;
  const contentType = headers.get('content-type');
  if (status !== 200 && status !== 500) return throwError(() => httpError(response, request));
  if (contentType !== undefined && !isXml(contentType)) {
    return throwError(() => (status === 500 ? httpError(response, request) : notXml(subject, contentType)));
  }
  let start: Uint8Array | undefined;
  /** Sign-in pages come with any Content-Type. */
  const isPage = (): boolean => isHtml(new TextDecoder().decode(start?.subarray(0, START_BYTES)));
  const reasonOf = (error: unknown): unknown => {
    if (!(error instanceof DecodeError)) return error;
    if (status === 500) return httpError(response, request, isPage() ? notXml(subject, 'text/html') : error);
    return isPage() ? webPage(request) : error;
  };
  return body$.pipe(
    tap((chunk) => (start ??= chunk)),
    parse({ ...limits, subject, onDropped: response.noteDropped }, isPage),
    catchError((error: unknown) => throwError(() => reasonOf(error))),
  );
}

function responseIn(messages: readonly EwsMessage[], call: SoapCall): ResponseMessage {
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
    hint: statusAdviceFor(status),
    cause,
  });
}

function notXml(subject: string, contentType: string): DecodeError {
  return new DecodeError(subject, {
    path: '',
    expected: 'a SOAP envelope in XML',
    actual: `${mediaType(contentType)}: a proxy or login page in between?`,
  });
}

/** Returns the error for a blank body in place of a response. */
export function blankResponse(request: RequestIdentity): NetworkError {
  return new NetworkError(
    'a blank body came in place of a response, as from a login page or a captive portal',
    request,
  );
}

/** Options of {@link parseResponse}. */
export interface ResponseOptions extends ParserOptions, Pick<Limits, 'drainBytes' | 'drainSeconds'> {
  /** Called with each message as soon as the envelope is complete, while the body is still being read. */
  readonly onMessage?: (message: EwsMessage) => void;
}

/**
 * Returns an operator that reads the first SOAP envelope of a response, emits its messages, and completes.
 *
 * Everything after that envelope is ignored, even an error. The rest of the body is drained so that the HTTP
 * connection can be reused, for at most `drainBytes` and `drainSeconds`. It errors with a {@link DecodeError}
 * for a body without a complete envelope, and emits nothing for a blank body.
 */
export function parseResponse(
  options: ResponseOptions = {},
): OperatorFunction<Uint8Array, readonly EwsMessage[]> {
  const { drainBytes = DEFAULT_LIMITS.drainBytes, drainSeconds = DEFAULT_LIMITS.drainSeconds } = options;
  return (chunks$) =>
    new Observable((subscriber) => {
      const decoder = new TextDecoder();
      let response: readonly EwsMessage[] | undefined;
      let ignoredBytes = 0;

      const finish = (): void => {
        if (response !== undefined) subscriber.next(response);
        subscriber.complete();
      };

      const reader = envelopeReader((messages) => {
        response = messages;
        if (options.onMessage !== undefined) messages.forEach(options.onMessage);
        subscriber.add(timer(drainSeconds * 1000).subscribe(finish));
        return false;
      }, options);

      const readMore = (chunk: Uint8Array): boolean => {
        if (response === undefined) {
          reader.read(decoder.decode(chunk, { stream: true }));
          return true;
        }
        ignoredBytes += chunk.length;
        return ignoredBytes <= drainBytes;
      };

      const end = (): void => {
        reader.read(decoder.decode());
        reader.end();
      };

      subscriber.add(
        chunks$.pipe(tap({ complete: end }), takeWhile(readMore)).subscribe({
          complete: finish,
          error: (error: unknown) => {
            if (response === undefined) subscriber.error(error);
            else finish();
          },
        }),
      );
    });
}
