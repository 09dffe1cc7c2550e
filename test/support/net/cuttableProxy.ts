import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server on this machine that can be cut, as when a network is lost. */
export interface CuttableProxy {
  readonly origin: string;
  /** Resets all connections, and new ones. */
  cut(): void;
  restore(): void;
  close(): Promise<void>;
}

/** Starts a proxy on a free port to the port of a server. */
export async function cuttableProxy(port: number): Promise<CuttableProxy> {
  const clients = new Set<Socket>();
  let isCut = false;

  const server = createServer((client) => {
    if (isCut) {
      client.resetAndDestroy();
      return;
    }
    const target = connect(port, '127.0.0.1');
    clients.add(client);
    client
      .on('error', () => undefined)
      .on('close', () => {
        clients.delete(client);
        target.destroy();
      });
    target.on('error', () => undefined).on('close', () => client.destroy());
    client.pipe(target).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const resetAll = (): void => {
    for (const client of clients) client.resetAndDestroy();
  };
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: () => {
      isCut = true;
      resetAll();
    },
    restore: () => {
      isCut = false;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        resetAll();
      }),
  };
}
