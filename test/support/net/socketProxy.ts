import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server on this machine, whose sockets can be broken in ways that no HTTP server breaks them. */
export interface SocketProxy {
  readonly origin: string;
  /** Ends the responses on the sockets that have sent the text, and continues to read from these sockets. */
  halfClose(): void;
  /** Resets these sockets. */
  reset(): void;
  /** Resolves when the client has closed all of these sockets. */
  left(): Promise<void>;
  close(): Promise<void>;
}

/** Starts a proxy on a free port to the port of a server. */
export async function socketProxy(port: number, text: string): Promise<SocketProxy> {
  const all = new Set<Socket>();
  /** The sockets of clients that have sent the text, each with the one to the server. */
  const marked = new Map<Socket, Socket>();
  let resolveLeft = (): void => undefined;

  const couple = (from: Socket, to: Socket): void => {
    all.add(from);
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      to.destroy();
      all.delete(from);
      marked.delete(from);
      if (marked.size === 0) resolveLeft();
    });
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    const target = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    couple(client, target);
    couple(target, client);
    client.on('data', (bytes: Buffer) => {
      if (bytes.includes(text)) marked.set(client, target);
      target.write(bytes);
    });
    target.on('data', (bytes: Buffer) => client.writable && client.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    halfClose: () => {
      for (const client of marked.keys()) client.end();
    },
    reset: () => {
      for (const client of [...marked.keys()]) client.resetAndDestroy();
    },
    left: () =>
      new Promise((resolve) => {
        resolveLeft = resolve;
        if (marked.size === 0) resolve();
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of all) socket.destroy();
      }),
  };
}
