import { expect } from 'chai';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { tap } from 'rxjs';
import type { Transport } from '../lib/core/transport.ts';
import { ewsSimulator } from '../lib/testing/ewsSimulator.ts';
import { serve } from '../lib/testing/serve.ts';
import { ucwaSimulator } from '../lib/testing/ucwaSimulator.ts';

/** Serves the transport to the script until that ends by itself; rejects where it fails, or has to be killed. */
async function left(how: string, transport: Transport, url: string): Promise<string> {
  const script = new URL('support/leaves.ts', import.meta.url).pathname;
  const served = await serve(transport);
  const args = [script, how, new URL(new URL(url).pathname, served.origin).href];
  try {
    return await new Promise((resolve, reject) => {
      const node = ['--import', 'ts-blank-space/register', ...args];
      execFile(process.execPath, node, { timeout: 50_000 }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout + stderr);
        else reject(error);
      });
    });
  } finally {
    await served.close();
  }
}

describe('A process that has left all it subscribed to', () => {
  for (const how of ['pull', 'stream'] as const) {
    it(`should end by itself, with nothing left on the Exchange server: ${how}`, async () => {
      const server = ewsSimulator();
      const delivering: Transport = (request) =>
        server.transport(request).pipe(
          tap(() => {
            if (server.requests.length === 2) server.deliverMail();
          }),
        );
      expect(await left(how, delivering, server.url)).to.equal('true\n');
      expect(server.subscriptions).to.deep.equal([]);
    });
  }

  it('should end by itself, with nothing left on the UCWA server', async () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    expect(await left('ucwa', server.transport, server.url)).to.equal('true\n');
    expect([...server.applications, ...server.presenceSubscriptions]).to.deep.equal([]);
  });
});

describe('The command that watches, told to end by a signal', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`should remove all from the server, tell so, and exit with 0: ${signal}`, async () => {
      const server = ucwaSimulator({ mediumSeconds: 0 });
      const served = await serve(server.transport);
      const main = new URL('../lib/cli/main.ts', import.meta.url).pathname;
      const url = new URL(new URL(server.url).pathname, served.origin).href;
      const args = ['watch', 'ucwa', '--applications', url, '--uri', 'sip:sara@contoso.com'];
      const child = spawn(process.execPath, ['--import', 'ts-blank-space/register', main, ...args], {
        env: { ...process.env, RXCHANGE_TOKEN: 'secret' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const told = text(child.stderr);
      try {
        await once(child.stdout, 'data');
        expect(server.presenceSubscriptions).to.have.length(1);
        child.kill(signal);
        child.stdout.resume();
        const [code] = (await once(child, 'exit')) as [number | null];
        expect(code).to.equal(0);
        expect((await told).match(/^\w+ \w+/gm)).to.deep.equal([
          'Released presenceSubscription',
          'Released application',
        ]);
        expect([...server.applications, ...server.presenceSubscriptions]).to.deep.equal([]);
      } finally {
        child.kill('SIGKILL');
        await served.close();
      }
    });
  }
});
