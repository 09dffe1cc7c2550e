import { constants } from 'node:buffer';
import { createServer, type ServerResponse, validateHeaderName } from 'node:http';
import { type AddressInfo } from 'node:net';
import { EMPTY, mergeMap, type Observable, of, Subscription, tap } from 'rxjs';
import { invalidOption, numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../core/transport/transport.ts';
import { originsOption } from '../origins.ts';
import { standardHeaders } from '../requestLog.ts';
import { corsHeaders, isPreflight, RefusedRequest, servedHostOption, servedRequest } from './request.ts';

/** The options of a served transport. @inline */
export interface ServeOptions {
  /** The port to listen on; 0 takes a free one. @default 0 */
  readonly port?: number;
  /** Names of response headers to send in addition to the usual ones. @default none */
  readonly responseHeaders?: readonly string[];
  /**
   * Hosts that the `Host` header may name besides this machine, such as `pool.example` or
   * `pool.example:8080`.
   *
   * Without a port, any port is allowed. Requests for other hosts get a 421, so that a web page whose name
   * resolves to this machine cannot talk to the server. @default none
   */
  readonly allowedHosts?: readonly string[];
  /**
   * Origins of the pages that may send requests besides those on this machine, such as
   * `https://app.contoso.com`.
   *
   * A page of another origin gets no permission from the server, so that its browser refuses the responses
   * (CORS). @default none
   */
  readonly allowedOrigins?: readonly string[];
  /** The largest request body in bytes; larger ones get a 413. @default 16_777_216 */
  readonly maxBytes?: number;
  /** The longest time in which a request arrives, in seconds; slower ones get a 408. @default 30 */
  readonly timeoutSeconds?: number;
}

const NAMES: OptionNames<ServeOptions> = {
  port: 1,
  responseHeaders: 1,
  allowedHosts: 1,
  allowedOrigins: 1,
  maxBytes: 1,
  timeoutSeconds: 1,
};

/** A listening server. */
export interface Served extends AsyncDisposable {
  /** Its origin, such as `http://127.0.0.1:49152`. */
  readonly origin: string;
  /** Its port, such as 49152. */
  readonly port: number;
  /** Closes all connections, unsubscribes from all responses and stops listening. Never rejects. */
  close(): Promise<void>;
}

/** The interval at which Node checks for requests that are too slow. */
const CHECK_MS = 1000;

/**
 * Serves a {@link Transport}, such as a simulator's, over HTTP on 127.0.0.1.
 *
 * The Promise resolves when the server listens, and rejects with Node's own error if it cannot. The transport
 * receives absolute URLs on the served origin, and response bodies are sent as they arrive. If the transport
 * throws or errors, or its response cannot be sent, only that connection is destroyed. If the client
 * disconnects, the transport is unsubscribed. Invalid requests get a response and their connection is closed:
 * 400 if malformed, 421 if for another host, 413 if too large, 408 if too slow.
 *
 * Pages of allowed origins may send requests, with credentials: the preflight of a browser gets its response
 * here, and the transport does not receive it.
 *
 * @throws TypeError that names an invalid option
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import type { Transport } from 'rxchange';
 * import { serve } from 'rxchange/testing/http';
 *
 * const hello: Transport = ({ url }) =>
 *   of({ status: 200, url, headers: new Map(), body$: of(new TextEncoder().encode('hello')) });
 *
 * const server = await serve(hello);
 * const response = await fetch(`${server.origin}/`);
 * console.log(response.status, await response.text());
 * // prints: 200 hello
 * await server.close();
 * ```
 */
export function serve(transport: Transport, options: ServeOptions = {}): Promise<Served> {
  const { port, maxBytes, timeoutMs, allowedHosts, allowedOrigins, responseHeaders } = checkOptions(options);
  let rules = { origin: '', port, allowedHosts, maxBytes, bodies: { bytes: 0 } };

  const server = createServer(
    {
      headersTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      connectionsCheckingInterval: Math.min(timeoutMs, CHECK_MS),
    },
    (incoming, outgoing) => {
      const answering = new Subscription();
      outgoing.on('close', () => answering.unsubscribe());
      const response$ = servedRequest(incoming, rules).pipe(
        mergeMap(isPreflight(incoming) ? noContent : transport),
      );
      const headers = corsHeaders(incoming, allowedOrigins, responseHeaders);
      answering.add(answer(response$, outgoing, headers, responseHeaders));
    },
  );

  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });

  return new Promise((resolve, reject) => {
    // Stays attached: later, a connection that cannot be accepted is an error of the server, too.
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address() as AddressInfo;
      const origin = `http://127.0.0.1:${address.port}`;
      rules = { ...rules, origin, port: address.port };
      resolve({ origin, port: address.port, close, [Symbol.asyncDispose]: close });
    });
  });
}

function checkOptions(options: ServeOptions): Required<Omit<ServeOptions, 'timeoutSeconds'>> & {
  readonly timeoutMs: number;
} {
  const {
    port = 0,
    maxBytes = 16 * 1024 * 1024,
    timeoutSeconds = 30,
  } = objectOption('options', options, NAMES);
  const { allowedHosts = [], allowedOrigins = [], responseHeaders = [] } = options;
  for (const [index, name] of responseHeaders.entries()) headerOption(`responseHeaders[${index}]`, name);
  numberOption('timeoutSeconds', timeoutSeconds, { min: 0.01, max: 3600 });
  return {
    port: numberOption('port', port, { min: 0, max: 65_535, integer: true }),
    // The largest body that fits into a string.
    maxBytes: numberOption('maxBytes', maxBytes, { min: 1, max: constants.MAX_STRING_LENGTH, integer: true }),
    timeoutMs: Math.ceil(timeoutSeconds * 1000),
    allowedHosts: allowedHosts.map((host, index) => servedHostOption(`allowedHosts[${index}]`, host)),
    allowedOrigins: originsOption('allowedOrigins', allowedOrigins),
    responseHeaders,
  };
}

function headerOption(option: string, name: string): void {
  try {
    validateHeaderName(name);
  } catch {
    throw invalidOption(option, name, 'the name of a header');
  }
}

/** Responds to a preflight: the permission is in the headers of the server. */
function noContent({ url }: HttpRequest): Observable<HttpResponse> {
  return of({ status: 204, url, headers: headersFrom({}), body$: EMPTY });
}

function answer(
  response$: Observable<HttpResponse>,
  outgoing: ServerResponse,
  ownHeaders: Readonly<Record<string, string>>,
  responseHeaders: readonly string[],
): Subscription {
  const writeHead = ({ status, headers }: HttpResponse): void => {
    outgoing.writeHead(status, { ...standardHeaders(headers, responseHeaders), ...ownHeaders });
    outgoing.flushHeaders();
  };
  const breakOff = (): void => {
    outgoing.destroy();
  };
  outgoing.on('error', breakOff);
  return response$
    .pipe(
      tap(writeHead),
      mergeMap(({ body$ }) => body$),
      // Here, an error of Node fails this response; thrown by an observer, it would be uncaught.
      tap((chunk) => outgoing.write(chunk)),
    )
    .subscribe({
      error: (error: unknown) => {
        if (error instanceof RefusedRequest) refuse(outgoing, error);
        else breakOff();
      },
      complete: () => {
        if (outgoing.headersSent) outgoing.end();
        else breakOff();
      },
    });
}

function refuse(outgoing: ServerResponse, { status, message }: RefusedRequest): void {
  outgoing.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
  outgoing.end(`${message}\n`);
}
