import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import { httpServer } from '../support/httpServer.ts';
import { random } from '../support/random.ts';
import { chaosProxy } from './proxy.ts';

describe('chaosProxy', () => {
  const weather = { oneIn: 1, delayMs: 1, silenceMs: 1 };
  const page = 'x'.repeat(10_000);

  it('should let everything pass when it is calm, and end with both sides', async () => {
    const server = await httpServer((_request, response) => response.end(page));
    const proxy = await chaosProxy(Number(new URL(server.url).port), random(1), weather);
    proxy.calm();
    const response = await fetch(`${proxy.origin}/`, { headers: { connection: 'close' } });
    expect(await response.text()).to.equal(page);
    await server.close();
    await proxy.close();
    expect([...proxy.injected.values()]).to.deep.equal([0, 0, 0, 0, 0, 0, 0]);
  });

  it('should count what goes wrong, and end every connection all the same', async () => {
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
});
