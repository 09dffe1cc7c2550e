import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer, type TlsOptions } from 'node:tls';

/** A port with TLS in front of a server without it. */
export interface TlsFront {
  readonly port: number;
  /** The names that clients have asked for. */
  readonly servernames: readonly string[];
  close(): Promise<void>;
}

/** Serves the server at a port of this machine with TLS, on a free port. */
export async function tlsFront(port: number, options: TlsOptions): Promise<TlsFront> {
  const sockets = new Set<Socket>();
  const servernames: string[] = [];
  const server = createServer(options, (client) => {
    const { servername } = client as { readonly servername?: string | false };
    if (typeof servername === 'string') servernames.push(servername);
    const target = connect(port, '127.0.0.1');
    client.on('error', () => undefined).on('close', () => target.destroy());
    target.on('error', () => undefined).on('close', () => client.destroy());
    client.pipe(target).pipe(client);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    servernames,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
