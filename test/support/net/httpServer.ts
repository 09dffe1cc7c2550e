import { createServer, type RequestListener, type Server } from 'node:http';
import {
  type AddressInfo,
  createServer as createRawServer,
  type Server as RawServer,
  type Socket,
} from 'node:net';

/** A server on a free port of this machine, for one spec. */
export interface SpecServer {
  readonly url: string;
  /** Returns the number of connections ever opened. */
  readonly connections: () => number;
  readonly close: () => Promise<void>;
}

async function listening(server: Server | RawServer, endAll: () => void): Promise<SpecServer> {
  let connections = 0;
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    connections: () => connections,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        endAll();
      }),
  };
}

/** Starts an HTTP server. */
export function httpServer(listener: RequestListener): Promise<SpecServer> {
  const server = createServer(listener);
  return listening(server, () => server.closeAllConnections());
}

/** Starts a TCP server that handles the first bytes of each connection, for responses of no HTTP server. */
export function rawServer(answer: (socket: Socket) => void): Promise<SpecServer> {
  const sockets = new Set<Socket>();
  const server = createRawServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  return listening(server, () => {
    for (const socket of sockets) socket.destroy();
  });
}
