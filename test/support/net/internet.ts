import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import tls from 'node:tls';
import { certificateFor } from './tls.ts';

/** A received request, with the host that its client connected to. */
export interface Arrival {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  /** The request line and the headers as received. */
  readonly head: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/** The response to a request. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The hosts that a process can reach over HTTPS, all served by one server. */
export interface Internet {
  readonly arrivals: readonly Arrival[];
  readonly close: () => Promise<void>;
}

interface ConnectOptions {
  readonly host?: string;
  readonly servername?: string;
}

type CreateConnection = (this: https.Agent, options: object, ...rest: unknown[]) => unknown;

/**
 * Serves host names on a TLS socket of this machine, and directs the HTTPS connections of all agents to it.
 *
 * The server accepts requests that an HTTP parser would reject, so that specs see everything a client sends.
 *
 * @param hosts The names of the certificate, such as `*.contoso.test`
 * @param reply Returns undefined for a request without a response
 */
export async function internet(
  hosts: readonly string[],
  reply: (arrival: Arrival) => Reply | undefined,
): Promise<Internet> {
  const { key, cert } = certificateFor(hosts);
  const arrivals: Arrival[] = [];
  const sockets = new Set<Socket>();
  const server = tls.createServer({ key, cert }, (socket) => {
    let received = '';
    socket.on('error', () => undefined);
    socket.setEncoding('utf8').on('data', (text: string) => {
      received += text;
      const arrival = arrivalIn(received, String((socket as { servername?: unknown }).servername));
      if (arrival === undefined) return;
      received = '';
      arrivals.push(arrival);
      const answer = reply(arrival);
      if (answer !== undefined) socket.write(written(answer));
    });
  });
  // The connection below TLS, because one may still be in its handshake.
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;

  const agent = https.Agent.prototype as unknown as { createConnection: CreateConnection };
  const { createConnection } = agent;
  agent.createConnection = function (options: ConnectOptions, ...rest) {
    const servername = options.servername ?? options.host;
    return createConnection.call(
      this,
      { ...options, host: '127.0.0.1', port, servername, ca: cert },
      ...rest,
    );
  };
  return {
    arrivals,
    close: () =>
      new Promise((closed) => {
        agent.createConnection = createConnection;
        server.close(() => closed());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Returns the request in a text; undefined until it is complete. */
function arrivalIn(text: string, host: string): Arrival | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const head = text.slice(0, end);
  const [requestLine = '', ...lines] = head.split('\r\n');
  const headers = new Map(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const body = text.slice(end + 4);
  if (Buffer.byteLength(body) < Number(headers.get('content-length') ?? 0)) return undefined;
  const [method = '', path = ''] = requestLine.split(' ');
  return { host, method, path, head, authorization: headers.get('authorization'), body };
}

function written({ status, headers = {}, body = '' }: Reply): string {
  const lines = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)) });
  return [`HTTP/1.1 ${status} x`, ...lines.map(([name, value]) => `${name}: ${value}`), '', body].join(
    '\r\n',
  );
}
