import { expect } from 'chai';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import type { Socket } from 'node:net';
import { firstValueFrom, mergeMap } from 'rxjs';
import { fetchTransport } from '../../../lib/core/transport/fetch.ts';
import { readText, type Transport } from '../../../lib/core/transport/transport.ts';
import { httpServer, type SpecServer } from '../../support/net/httpServer.ts';

const CHANNEL = 'http.client.request.start';

describe('a kept-alive connection', () => {
  let server: SpecServer | undefined;
  const sockets: Socket[] = [];
  const watch = (message: unknown): void => {
    const { request } = message as { readonly request: ClientRequest };
    if (request.socket !== null) sockets.push(request.socket);
  };
  beforeEach(() => {
    sockets.length = 0;
    subscribe(CHANNEL, watch);
  });
  afterEach(async () => {
    unsubscribe(CHANNEL, watch);
    await server?.close();
  });

  const ask = async (transport: Transport): Promise<string> => {
    const text$ = transport({ method: 'POST', url: server!.url }).pipe(mergeMap((one) => readText(one, 'x')));
    const text = await firstValueFrom(text$);
    // The agent takes the connection back in the next round of the event loop.
    await new Promise(setImmediate);
    return text;
  };

  const answering = async (headers: Record<string, string>): Promise<Transport> => {
    server = await httpServer((_, response) => response.writeHead(200, headers).end('small'));
    return fetchTransport();
  };

  it('is closed after 50 seconds without a request', async () => {
    const transport = await answering({ connection: 'keep-alive', 'keep-alive': '' });
    await ask(transport);
    expect(sockets[0]).to.include({ timeout: 50_000, destroyed: false });
    sockets[0]?.emit('timeout');
    expect(sockets[0]).to.include({ destroyed: true });
    await ask(transport);
    expect(server?.connections()).to.equal(2);
  });

  it('is closed before the server closes it', async () => {
    await ask(await answering({ connection: 'keep-alive', 'keep-alive': 'timeout=20' }));
    expect(sockets[0]?.timeout).to.be.within(19_000, 20_000);
  });

  it('stays open while a response is awaited', async () => {
    server = await httpServer((_, response) => {
      sockets[0]?.emit('timeout');
      response.end('late');
    });
    expect(await ask(fetchTransport())).to.equal('late');
    expect(sockets).to.have.length(1);
  });
});
