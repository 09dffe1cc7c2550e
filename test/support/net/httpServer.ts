import { createServer, type RequestListener, type Server } from 'node:http';
import {
  type AddressInfo,
  createServer as createRawServer,
  type Server as RawServer,
  type Socket,
} from 'node:net';

/** A server of one spec, on a free port of this machine. */
export interface SpecServer {
  readonly url: string;
  /** How many connections were ever opened. */
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

/** Serves HTTP. */
export function httpServer(listener: RequestListener): Promise<SpecServer> {
  const server = createServer(listener);
  return listening(server, () => server.closeAllConnections());
}

/** Answers the first bytes of each connection by hand, for answers that no HTTP server would give. */
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
