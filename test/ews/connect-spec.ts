import { basic } from '../../lib/ews/auth/basic.ts';
import { expect } from 'chai';
import { take, timer } from 'rxjs';
import type { Fetch } from '../../lib/core/transport/send.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import type { ExchangeOptions } from '../../lib/ews/options.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { sessionOf } from '../../lib/ews/session/session.ts';
import { streamingNotifications } from '../../lib/ews/streaming/streaming.ts';
import { ewsSimulator } from '../../lib/testing/ews/simulator.ts';
import { type EwsSimulatorOptions } from '../../lib/testing/ews/options.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { respondWith, response } from '../support/responses.ts';

const url = 'https://mail.example/EWS/Exchange.asmx';

function pullOnce(
  options: Partial<ExchangeOptions>,
  serverOptions: EwsSimulatorOptions = {},
): { server: ReturnType<typeof ewsSimulator>; types: string[] } {
  const server = ewsSimulator(serverOptions);
  const exchange = connectExchange({ server: server.url, transport: server.transport, ...options });
  const types: string[] = [];
  pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] })
    .pipe(take(1))
    .subscribe({ next: ({ type }) => types.push(type), error: ({ message }: Error) => types.push(message) });
  return { server, types };
}

describe('connectExchange', () => {
  it('sends nothing on its own', () => {
    const { transport, requests } = respondWith(response(200));
    connectExchange({ server: url, transport, auth: bearer('secret') });
    expect(requests).to.deep.equal([]);
  });

  it('authenticates with a bearer token', () => {
    expect(pullOnce({ auth: bearer('secret') }, { token: 'secret' }).types).to.deep.equal(['status']);
  });

  it('authenticates with user name and password, in UTF-8', () => {
    const credentials = { username: 'contoso\\jürgen', password: 'pässwörd: 📮' };
    expect(pullOnce({ auth: basic(credentials) }, { basic: credentials }).types).to.deep.equal(['status']);
  });

  it('explains a rejected sign-in, without secrets', () => {
    const { types, server } = pullOnce({ auth: bearer('secret-1') }, { token: 'secret-2' });
    expect(types).to.deep.equal([
      'POST https://exchange.example/EWS/Exchange.asmx was answered 401: the sign-in was refused: check the token, or user name and password.',
    ]);
    expect(server.requests).to.have.length(1);
  });

  it('requests a new token after a rejection, also for Unsubscribe', async () => {
    const server = ewsSimulator({ token: 'token-1' });
    let asked = 0;
    const exchange = connectExchange({
      server: server.url,
      transport: server.transport,
      auth: bearer(() => `token-${++asked}`),
    });
    const watching = pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe();
    server.setToken('token-2');
    watching.unsubscribe();
    const { clean } = await exchange.drain();
    expect(clean).to.equal(true);
    expect(server.requests.map(({ operation, status }) => `${operation!} ${status!}`)).to.deep.equal([
      'Subscribe 200',
      'GetEvents 200',
      'Unsubscribe 401',
      'Unsubscribe 200',
    ]);
  });

  it('impersonates another user, and routes the request to that mailbox', () => {
    const { server } = pullOnce({ impersonate: { primarySmtpAddress: 'sara@contoso.com' } });
    for (const { impersonated, headers } of server.requests) {
      expect(impersonated).to.deep.equal({ by: 'PrimarySmtpAddress', name: 'sara@contoso.com' });
      expect(headers['x-anchormailbox']).to.equal('sara@contoso.com');
    }
    expect(server.requests).to.have.length(3);
  });

  it('puts only addresses into a header', () => {
    for (const impersonate of [{ sid: 'S-1-5-21' }, { principalName: 'jürgen@contoso.com' }]) {
      const { server } = pullOnce({ impersonate });
      expect(server.requests[0]!.headers).to.not.have.property('x-anchormailbox');
      expect(server.requests[0]!.impersonated).to.not.equal(undefined);
    }
  });

  it('requests the given version', () => {
    const { server } = pullOnce({ version: 'Exchange2010_SP1' });
    expect(server.requests[0]!.body).to.contain('<t:RequestServerVersion Version="Exchange2010_SP1"/>');
    expect(pullOnce({}).server.requests[0]!.body).to.contain('Version="Exchange2013_SP1"');
  });

  it('retries a busy request after the waits of retry', () => {
    const server = ewsSimulator();
    const types: string[] = [];
    inVirtualTime(() => {
      const retry = { initialMs: 2000, random: () => 0.5 };
      const exchange = connectExchange({ server: server.url, transport: server.transport, retry });
      server.failNext(2, { status: 503 });
      pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] })
        .pipe(take(1))
        .subscribe(({ type }) => types.push(type));
    });
    const sent = server.requests.map(({ time, operation, status }) => `${time} ${operation!} ${status!}`);
    expect(sent.slice(0, 3)).to.deep.equal(['0 Subscribe 503', '1000 Subscribe 503', '3000 Subscribe 200']);
    expect(types).to.deep.equal(['status']);
  });

  it('sends at most ten requests at a time, and Unsubscribe first', () => {
    const server = ewsSimulator({ latencyMs: 100 });
    inVirtualTime(() => {
      const exchange = connectExchange({ server: server.url, transport: server.transport });
      const watch = () =>
        pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe();
      const watching = Array.from({ length: 10 }, watch);
      timer(1000).subscribe(() => {
        watching.push(...Array.from({ length: 15 }, watch));
        for (const each of watching.slice(0, 5)) each.unsubscribe();
      });
      timer(2000).subscribe(() => watching.forEach((each) => each.unsubscribe()));
    });
    const sent = server.requests.map(({ time, operation }) => `${time} ${operation!}`);
    const count = (line: string): number => sent.filter((each) => each === line).length;
    expect([count('0 Subscribe'), count('100 GetEvents')]).to.deep.equal([10, 10]);
    expect([count('1000 Subscribe'), count('1000 Unsubscribe')]).to.deep.equal([10, 0]);
    expect([count('1100 Unsubscribe'), count('1100 Subscribe')]).to.deep.equal([5, 5]);
    expect(server.subscriptions).to.deep.equal([]);
  });

  it('does not delay other calls by open streams', () => {
    const server = ewsSimulator({ latencyMs: 100 });
    const types: string[] = [];
    inVirtualTime(() => {
      const exchange = connectExchange({
        server: server.url,
        transport: server.transport,
        maxConcurrentRequests: 1,
      });
      const options = { folders: ['inbox'], events: ['newMail'] } as const;
      const streaming = streamingNotifications(exchange, options).subscribe();
      timer(1000).subscribe(() =>
        pullNotifications(exchange, options)
          .pipe(take(1))
          .subscribe(({ type }) => types.push(type)),
      );
      timer(3000).subscribe(() => streaming.unsubscribe());
    });
    expect(types).to.deep.equal(['status']);
    expect(server.subscriptions).to.deep.equal([]);
  });

  it('uses the given fetch', async () => {
    const urls: string[] = [];
    const fetch: Fetch = (requested) => {
      urls.push(requested);
      return Promise.resolve(new Response('', { status: 403 }));
    };
    const exchange = connectExchange({ server: url, fetch });
    await new Promise<void>((done) => {
      pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe({
        error: () => done(),
      });
    });
    expect(urls).to.deep.equal([url]);
  });

  it('follows no redirect to another origin with its token', () => {
    const { transport, requests } = respondWith(
      response(302, { headers: { location: 'https://evil.example/EWS/Exchange.asmx' } }),
    );
    const errors: unknown[] = [];
    pullNotifications(connectExchange({ server: url, transport, auth: bearer('secret') }), {
      folders: ['inbox'],
      events: ['newMail'],
    }).subscribe({
      error: (error: Error) => errors.push(error.name),
    });
    expect(errors).to.deep.equal(['HttpError']);
    expect(requests).to.have.length(1);
  });

  it('is disposable: completes and removes open streams', async () => {
    const server = ewsSimulator();
    const exchange = connectExchange({ server: server.url, transport: server.transport });
    let isComplete = false;
    pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe({
      complete: () => (isComplete = true),
    });
    await exchange[Symbol.asyncDispose]();
    expect(isComplete).to.equal(true);
    expect(server.subscriptions).to.have.length(0);
  });

  const bad: readonly [name: string, options: Record<string, unknown>, message: string][] = [
    [
      'no server',
      { server: undefined },
      "server must be the URL of an EWS server, or autodiscovered(address) from 'rxchange/ews', but it is undefined",
    ],
    ['a server that is an object', { server: { address: 'a@b.c' } }, 'autodiscovered(address)'],
    ['a relative URL', { server: '/EWS/Exchange.asmx' }, 'server must be an absolute http or https URL'],
    ['a password in the URL', { server: 'https://a:b@mail.example/' }, 'server must be'],
    ['a version of another server', { version: 'Exchange2030' }, 'version must be one of "Exchange2007"'],
    [
      'credentials that are no auth',
      { auth: { username: 'a', password: 'b' } },
      'auth must be a value such as bearer(token), but it is an object',
    ],
    [
      'a token that is no auth',
      { auth: 'secret' },
      'auth must be a value such as bearer(token), but it is a string',
    ],
    ['an affinity that is a flag', { affinity: true }, "affinity must be affinity() from 'rxchange/ews'"],
    ['url', { url }, 'unknown option url: write server: url'],
    [
      'address',
      { address: 'a@b.c' },
      "unknown option address: write server: autodiscovered(address) from 'rxchange/ews'",
    ],
    [
      'allowRedirectTo',
      { allowRedirectTo: [] },
      'write server: autodiscovered(address, { allowRedirectTo })',
    ],
    ['token', { token: 'a' }, "unknown option token: write auth: bearer(token) from 'rxchange'"],
    ['basic', { basic: {} }, "write auth: basic({ username, password }) from 'rxchange/ews'"],
    [
      'nobody to impersonate',
      { impersonate: {} },
      'impersonate must be an object with exactly one of principalName, sid, primarySmtpAddress, smtpAddress',
    ],
    [
      'two to impersonate',
      { impersonate: { sid: 'a', smtpAddress: 'b' } },
      'impersonate must be an object with exactly one of',
    ],
    [
      'another way to impersonate',
      { impersonate: { name: 'a' } },
      'unknown name "name" in impersonate: known are principalName,',
    ],
    ['an empty name to impersonate', { impersonate: { sid: '' } }, 'impersonate.sid must be a text'],
    ['a number to impersonate', { impersonate: { sid: 5 } }, 'impersonate.sid must be a text'],
    [
      'a control character to impersonate',
      { impersonate: { sid: '\u0001' } },
      'impersonate.sid must be text of characters',
    ],
    ['a fetch that is none', { fetch: 'fetch' }, 'fetch must be a function'],
    ['no request at a time', { maxConcurrentRequests: 0 }, 'maxConcurrentRequests must be a whole number'],
    ['retries that are none', { retry: { retries: -1 } }, 'retry.retries must be'],
  ];
  for (const [name, options, message] of bad) {
    it(`throws for ${name}, and names the option`, () => {
      const all = { server: url, ...options } as unknown as ExchangeOptions;
      expect(() => connectExchange(all)).to.throw(TypeError, message);
    });
  }

  it('throws no error with a secret', () => {
    for (const options of [
      { server: 'https://user:SECRET@mail.example/' },
      { server: url, auth: 'SECRET' },
      { server: url, auth: { username: 'a', password: 'SECRET' } },
      { server: url, token: 'SECRET' },
      { server: url, basic: { username: 'a', password: 'SECRET' } },
    ]) {
      expect(() => connectExchange(options as unknown as ExchangeOptions))
        .to.throw(TypeError)
        .with.property('message')
        .that.does.not.contain('SECRET');
    }
  });

  it('exposes its internals only to its own protocol', () => {
    const exchange = connectExchange({ server: url });
    const urls: string[] = [];
    sessionOf(exchange).current$.subscribe((here) => urls.push(here.url));
    expect(urls).to.deep.equal([url]);
    expect(Object.keys(exchange)).to.deep.equal([
      'releases',
      'status$',
      'activity$',
      'actingAs',
      'drain',
      'close',
      'suspend',
      'resume',
    ]);
  });
});
