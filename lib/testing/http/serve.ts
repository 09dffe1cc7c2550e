import { constants } from 'node:buffer';
import { createServer, type ServerResponse, validateHeaderName } from 'node:http';
import { type AddressInfo } from 'node:net';
import { mergeMap, type Observable, Subscription, tap } from 'rxjs';
import { invalidOption, numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../core/transport/transport.ts';
import { standardHeaders } from '../requestLog.ts';
import { RefusedRequest, servedHostOption, servedRequest } from './request.ts';

/** How a transport is served. */
export interface ServeOptions {
  /** The port to listen on; 0 takes a free one. @default 0 */
  readonly port?: number;
  /** Names of response headers to send in addition to the usual ones. @default none */
  readonly responseHeaders?: readonly string[];
  /**
   * Hosts besides those of this machine that the `Host` header may name, such as `pool.example` or
   * `pool.example:8080`; without a port, any port is allowed. Other hosts are answered with 421, so that a web
   * page whose name resolves to this machine cannot talk to the server. @default none
   */
  readonly allowedHosts?: readonly string[];
  /** Bytes of a request body; a larger one is answered with 413. @default 16_777_216 */
  readonly maxBytes?: number;
  /** Seconds that a request may take to arrive; a slower one is answered with 408. @default 30 */
  readonly timeoutSeconds?: number;
}

const NAMES: OptionNames<ServeOptions> = {
  port: 1,
  responseHeaders: 1,
  allowedHosts: 1,
  maxBytes: 1,
  timeoutSeconds: 1,
};

/** A server that is listening. */
export interface Served extends AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:49152`. */
  readonly origin: string;
  /** Such as 49152. */
  readonly port: number;
  /** Closes all connections, unsubscribes from all responses and stops listening. Never rejects. */
  close(): Promise<void>;
}

/** How often Node looks for requests that are too slow. */
const CHECK_MS = 1000;

/**
 * Serves a {@link Transport}, such as a simulator's, over HTTP on 127.0.0.1, and resolves when it listens.
 *
 * The transport receives absolute URLs on the served origin. Response bodies are sent as they arrive. If the
 * transport throws or errors, or its response cannot be sent, only that connection is destroyed; if the client
 * leaves, the transport is unsubscribed from. No request throws: a malformed one is answered with 400, one for
 * another host with 421, one that is too large with 413 and one that is too slow with 408, and its connection
 * is closed.
 *
 * @throws TypeError that names the option that cannot be used. The Promise rejects with Node's own error if
 * the port cannot be listened on.
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { headersFrom, type Transport } from 'rxchange';
 * import { serve } from 'rxchange/testing/http';
 *
 * const hello: Transport = ({ url }) =>
 *   of({ status: 200, url, headers: headersFrom({}), body$: of(new TextEncoder().encode('hello')) });
 *
 * const server = await serve(hello);
 * const response = await fetch(`${server.origin}/`);
 * console.log(response.status, await response.text());
 * // prints: 200 hello
 * await server.close();
 * ```
 */
export function serve(transport: Transport, options: ServeOptions = {}): Promise<Served> {
  const { port, maxBytes, timeoutMs, allowedHosts, responseHeaders } = checkOptions(options);
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
      answering.add(answer(transport, servedRequest(incoming, rules), outgoing, responseHeaders));
    },
  );

  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });

  return new Promise((resolve, reject) => {
    // It stays: once the server listens, a connection that cannot be accepted is an error of the server, too.
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
  const { allowedHosts = [], responseHeaders = [] } = options;
  for (const [index, name] of responseHeaders.entries()) headerOption(`responseHeaders[${index}]`, name);
  numberOption('timeoutSeconds', timeoutSeconds, { min: 0.01, max: 3600 });
  return {
    port: numberOption('port', port, { min: 0, max: 65_535, integer: true }),
    // A larger body does not fit into a string.
    maxBytes: numberOption('maxBytes', maxBytes, { min: 1, max: constants.MAX_STRING_LENGTH, integer: true }),
    timeoutMs: Math.ceil(timeoutSeconds * 1000),
    allowedHosts: allowedHosts.map((host, index) => servedHostOption(`allowedHosts[${index}]`, host)),
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

function answer(
  transport: Transport,
  request$: Observable<HttpRequest>,
  outgoing: ServerResponse,
  responseHeaders: readonly string[],
): Subscription {
  const writeHead = ({ status, headers }: HttpResponse): void => {
    outgoing.writeHead(status, standardHeaders(headers, responseHeaders));
    outgoing.flushHeaders();
  };
  const breakOff = (): void => {
    outgoing.destroy();
  };
  outgoing.on('error', breakOff);
  return request$
    .pipe(
      mergeMap(transport),
      tap(writeHead),
      mergeMap(({ body$ }) => body$),
      // Here, what Node refuses is an error of this response; thrown by an observer, it would be uncaught.
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
