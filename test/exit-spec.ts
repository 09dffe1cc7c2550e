import { expect } from 'chai';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { EMPTY, NEVER, of, tap } from 'rxjs';
import { headersFrom, type HttpRequest, type Transport } from '../lib/core/transport/transport.ts';
import { ewsSimulator } from '../lib/testing/ews/simulator.ts';
import { serve } from '../lib/testing/http/serve.ts';
import { ucwaSimulator } from '../lib/testing/ucwa/simulator.ts';

/**
 * Serves a transport to a script until the script ends. Rejects if the script fails or has to be killed.
 */
async function left(what: string, how: string, transport: Transport, url: string): Promise<string> {
  const script = new URL('support/processes/exitWorker.ts', import.meta.url).pathname;
  const served = await serve(transport);
  const args = [script, what, how, new URL(new URL(url).pathname, served.origin).href];
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

describe('A process that has unsubscribed from everything', () => {
  for (const how of ['pull', 'stream'] as const) {
    it(`ends on its own, and leaves nothing on the Exchange server: ${how}`, async () => {
      const server = ewsSimulator();
      const delivering: Transport = (request) =>
        server.transport(request).pipe(
          tap(() => {
            if (server.requests.length === 2) server.deliverMail();
          }),
        );
      expect(await left(how, 'drain', delivering, server.url)).to.equal('true\n');
      expect(server.subscriptions).to.deep.equal([]);
    });
  }

  it('ends on its own, and leaves nothing on the UCWA server', async () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    expect(await left('ucwa', 'drain', server.transport, server.url)).to.equal('true\n');
    expect([...server.applications, ...server.presenceSubscriptions]).to.deep.equal([]);
  });

  it('deletes the application after its grace period, and ends', async () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    expect(await left('ucwa', 'unsubscribe', server.transport, server.url)).to.equal('"left"\n');
    expect([...server.applications, ...server.presenceSubscriptions]).to.deep.equal([]);
  });
});

/** Longer than any process in these specs lives. */
const LONG_WAIT = { status: 503, headers: { 'retry-after': '250' } };

describe('A process that unsubscribes during the backoff of a stream', () => {
  it('ends without waiting for the next Subscribe', async () => {
    const server = ewsSimulator();
    server.failNext(10, LONG_WAIT, 'Subscribe');
    expect(await left('pull', 'backoff', server.transport, server.url)).to.equal('"left"\n');
    expect(server.subscriptions).to.deep.equal([]);
  });

  // Unsubscribe also respects the server's backoff, and close() ends the wait.
  for (const [what, operation] of [
    ['pull', 'GetEvents'],
    ['stream', 'GetStreamingEvents'],
  ] as const) {
    it(`ends with close, without waiting for the next ${operation}`, async () => {
      const server = ewsSimulator();
      server.failNext(10, LONG_WAIT, operation);
      expect(await left(what, 'backoff, close', server.transport, server.url)).to.equal('"left"\n');
    });
  }

  for (const [name, path, how] of [
    ['creation of the application', /\/applications$/, 'backoff'],
    ['request for events', /\/events$/, 'backoff, close'],
    ['creation of the presence subscription', /\/presenceSubscriptions$/, 'backoff, close'],
  ] as const) {
    it(`ends without waiting for the next ${name}: ${how}`, async () => {
      const server = ucwaSimulator({ mediumSeconds: 0 });
      server.failNext(10, LONG_WAIT, ({ url }) => path.test(new URL(url).pathname));
      expect(await left('ucwa', how, server.transport, server.url)).to.equal('"left"\n');
    });
  }
});

describe('A process that closes while the server removes nothing', () => {
  const removes = ({ method, body = '' }: HttpRequest): boolean =>
    method === 'DELETE' || body.includes('Unsubscribe>');
  const failures: Readonly<Record<string, (request: HttpRequest) => ReturnType<Transport>>> = {
    'never answers': () => NEVER,
    'answers 503': ({ url }) => of({ status: 503, url, headers: headersFrom({}), body$: EMPTY }),
  };
  for (const [name, failing] of Object.entries(failures)) {
    const over =
      (transport: Transport): Transport =>
      (request) =>
        removes(request) ? failing(request) : transport(request);

    for (const what of ['pull', 'stream'] as const) {
      it(`ends after timeoutMs with an unclean report: ${what}, the server ${name}`, async () => {
        const server = ewsSimulator();
        const delivering: Transport = (request) =>
          server.transport(request).pipe(
            tap(() => {
              if (server.requests.length === 2) server.deliverMail();
            }),
          );
        const recorded: unknown = JSON.parse(await left(what, 'close', over(delivering), server.url));
        const resource =
          server.subscriptions[0]?.type === 'pull' ? 'PullSubscription' : 'StreamingSubscription';
        expect(recorded).to.deep.equal({
          clean: false,
          pending: [resource],
          outcomes: [`${resource} Failed`],
        });
      });
    }

    it(`ends after timeoutMs with an unclean report: UCWA, the server ${name}`, async () => {
      const server = ucwaSimulator({ mediumSeconds: 0 });
      const recorded: unknown = JSON.parse(await left('ucwa', 'close', over(server.transport), server.url));
      expect(recorded).to.deep.equal({
        clean: false,
        pending: ['presenceSubscription'],
        outcomes: ['presenceSubscription Failed', 'application Failed'],
      });
    });
  }
});

describe('The watch command, after a signal,', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`removes all from the server, reports it, and exits with 0: ${signal}`, async () => {
      const server = ucwaSimulator({ mediumSeconds: 0 });
      const served = await serve(server.transport);
      const main = new URL('../lib/cli/main.ts', import.meta.url).pathname;
      const url = new URL(new URL(server.url).pathname, served.origin).href;
      const args = ['watch', 'ucwa', '--applications', url, '--uri', 'sip:sara@contoso.com'];
      const child = spawn(process.execPath, ['--import', 'ts-blank-space/register', main, ...args], {
        env: { ...process.env, RXCHANGE_TOKEN: 'secret' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const recorded = text(child.stderr);
      try {
        await once(child.stdout, 'data');
        expect(server.presenceSubscriptions).to.have.length(1);
        child.kill(signal);
        child.stdout.resume();
        const [code] = (await once(child, 'exit')) as [number | null];
        expect(code).to.equal(0);
        expect((await recorded).match(/^\w+ \w+/gm)).to.deep.equal([
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
