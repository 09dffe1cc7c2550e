import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect } from 'chai';
import { httpServer } from '../support/net/httpServer.ts';
import { type Random, random } from '../support/random/random.ts';
import { chaosProxy, type FaultKind } from './proxy.ts';

describe('chaosProxy', () => {
  const weather = { oneIn: 1, delayMs: 1, silenceMs: 1 };
  const page = 'x'.repeat(10_000);

  it('forwards everything when it is calm, and ends with both sides', async () => {
    const server = await httpServer((_request, response) => response.end(page));
    const proxy = await chaosProxy(Number(new URL(server.url).port), random(1), weather);
    proxy.calm();
    const response = await fetch(`${proxy.origin}/`, { headers: { connection: 'close' } });
    expect(await response.text()).to.equal(page);
    await server.close();
    await proxy.close();
    expect([...proxy.injected.values()]).to.deep.equal([0, 0, 0, 0, 0, 0, 0]);
  });

  it('counts its faults, and ends every connection', async () => {
    const server = await httpServer((_request, response) => response.end(page));
    const proxy = await chaosProxy(Number(new URL(server.url).port), random(1), weather);
    for (let count = 0; count < 40; count += 1) {
      const client = connect(Number(new URL(proxy.origin).port), '127.0.0.1');
      client.on('error', () => undefined).resume();
      client.end('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
      await once(client, 'close');
    }
    await server.close();
    await proxy.close();
    for (const [kind, count] of proxy.injected) expect(count, kind).to.be.greaterThan(0);
  });

  it('forwards nothing after a lost chunk', async () => {
    const sent = 'abcdefghij';
    const pieces = sent.split('');
    const server = createServer((socket) => {
      const writeOn = (): void => {
        const piece = pieces.shift();
        if (piece !== undefined) socket.write(piece, () => setImmediate(writeOn));
      };
      socket.setNoDelay(true).on('error', () => undefined);
      writeOn();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    // The first chunk waits, so that more chunks follow the second one, which is lost.
    const faults: FaultKind[] = ['delay', 'cut'];
    const planned: Random = {
      ...random(1),
      next: () => 1,
      oneIn: (times) => times === weather.oneIn && faults.length > 0,
      pick: (values) => values.find((value) => value === faults[0] && faults.shift()) ?? values[0]!,
    };
    const { port } = server.address() as AddressInfo;
    const proxy = await chaosProxy(port, planned, { ...weather, delayMs: 50 });
    const client = connect(Number(new URL(proxy.origin).port), '127.0.0.1');
    let received = '';
    client.on('error', () => undefined).on('data', (piece) => (received += piece.toString()));
    await once(client, 'close');
    expect(sent.slice(0, received.length)).to.equal(received);
    server.close();
    await proxy.close();
  });
});
