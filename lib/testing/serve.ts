import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { mergeMap, Subscription, tap } from 'rxjs';
import { numberOption } from '../core/options.ts';
import type { HttpRequest, HttpResponse, Transport } from '../core/transport.ts';
import { sentHeaders } from './responseHeaders.ts';

/** Where and how to serve. */
export interface ServeOptions {
  /** The port to listen on; 0 takes a free one. @default 0 */
  readonly port?: number;
  /** Names of response headers to send along besides the usual ones. @default none */
  readonly responseHeaders?: readonly string[];
}

/** A server that is listening. */
export interface Served extends AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:49152`. */
  readonly origin: string;
  /** Such as 49152. */
  readonly port: number;
  /** Ends all connections and stops listening; what was being answered is unsubscribed from. Never rejects. */
  close(): Promise<void>;
}

/**
 * Serves a {@link Transport}, such as a simulator's, over HTTP on 127.0.0.1, and resolves when it listens.
 *
 * Response bodies are sent as they come. Where the transport errors, or a body breaks off, the socket is
 * destroyed; where the client goes away, the transport is unsubscribed from. The transport gets absolute
 * URLs on the origin that is served. It rejects with Node's own error where the port cannot be listened on,
 * and throws a TypeError for one that is not a port.
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { headersFrom, type Transport } from 'rxchange';
 * import { serve } from 'rxchange/testing';
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
  const port = numberOption('port', options.port ?? 0, { min: 0, max: 65_535, integer: true });
  const { responseHeaders } = options;
  let origin = '';

  const server = createServer((incoming, outgoing) => {
    const answering = new Subscription();
    outgoing.on('close', () => answering.unsubscribe());
    whenRead(incoming, (body) => {
      if (answering.closed) return;
      answering.add(answer(transport, requestFrom(incoming, origin, body), outgoing, responseHeaders));
    });
  });

  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });

  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address() as AddressInfo;
      origin = `http://127.0.0.1:${address.port}`;
      resolve({ origin, port: address.port, close, [Symbol.asyncDispose]: close });
    });
  });
}

function whenRead(incoming: IncomingMessage, read: (body: string) => void): void {
  const chunks: Buffer[] = [];
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
  incoming.on('end', () => read(Buffer.concat(chunks).toString('utf8')));
  // A client that leaves while it sends is told by the response's close as well.
  incoming.on('error', () => undefined);
}

function requestFrom(incoming: IncomingMessage, origin: string, body: string): HttpRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return {
    method: incoming.method ?? 'GET',
    url: new URL(incoming.url ?? '/', origin).href,
    headers,
    ...(body === '' ? {} : { body }),
  };
}

function answer(
  transport: Transport,
  request: HttpRequest,
  outgoing: ServerResponse,
  responseHeaders: readonly string[] | undefined,
): Subscription {
  const writeHead = ({ status, headers }: HttpResponse): void => {
    outgoing.writeHead(status, sentHeaders(headers, responseHeaders));
    outgoing.flushHeaders();
  };
  const breakOff = (): void => {
    outgoing.destroy();
  };
  return transport(request)
    .pipe(
      tap(writeHead),
      mergeMap(({ body$ }) => body$),
    )
    .subscribe({
      next: (chunk) => outgoing.write(chunk),
      error: breakOff,
      complete: () => {
        if (outgoing.headersSent) outgoing.end();
        else breakOff();
      },
    });
}
