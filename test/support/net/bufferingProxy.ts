import { request } from 'node:http';
import { httpServer, type SpecServer } from './httpServer.ts';

/**
 * Starts a proxy in front of the server at a port, which sends each response when it is complete.
 *
 * Virus scanners and some reverse proxies do so.
 */
export function bufferingProxy(port: number): Promise<SpecServer> {
  return httpServer((incoming, outgoing) => {
    const { method, url: path } = incoming;
    const headers = { ...incoming.headers, host: `127.0.0.1:${port}` };
    const forwarded = request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('error', () => outgoing.destroy())
        .on('end', () => {
          const body = Buffer.concat(chunks);
          const { 'transfer-encoding': _, ...rest } = response.headers;
          outgoing.writeHead(response.statusCode ?? 502, { ...rest, 'content-length': body.length });
          outgoing.end(body);
        });
    });
    forwarded.on('error', () => outgoing.destroy());
    outgoing.on('close', () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
}
