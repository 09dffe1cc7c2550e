import { expect } from 'chai';
import { take, timer } from 'rxjs';
import type { Fetch } from '../../lib/core/transport/send.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import type { ExchangeOptions } from '../../lib/ews/options.ts';
import { exchange } from '../../lib/ews/exchange.ts';
import { sessionOf } from '../../lib/ews/session/session.ts';
import { streamingNotifications } from '../../lib/ews/streaming/streaming.ts';
import { ewsSimulator, type EwsSimulatorOptions } from '../../lib/testing/ews/simulator.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { respondWith, response } from '../support/responses.ts';

const url = 'https://mail.example/EWS/Exchange.asmx';

function pullOnce(
  options: Partial<ExchangeOptions>,
  serverOptions: EwsSimulatorOptions = {},
): { server: ReturnType<typeof ewsSimulator>; types: string[] } {
  const server = ewsSimulator(serverOptions);
  const service = exchange({ url: server.url, transport: server.transport, ...options });
  const types: string[] = [];
  pullNotifications(service, { folders: ['inbox'], events: ['newMail'] })
    .pipe(take(1))
    .subscribe({ next: ({ type }) => types.push(type), error: ({ message }: Error) => types.push(message) });
  return { server, types };
}

describe('exchange', () => {
  it('should send nothing by itself', () => {
    const { transport, requests } = respondWith(response(200));
    exchange({ url, transport, token: 'secret' });
    expect(requests).to.deep.equal([]);
  });

  it('should sign with a bearer token', () => {
    expect(pullOnce({ token: 'secret' }, { token: 'secret' }).types).to.deep.equal(['status']);
  });

  it('should sign with user name and password, in UTF-8', () => {
    const basic = { username: 'contoso\\jürgen', password: 'pässwörd: 📮' };
    expect(pullOnce({ basic }, { basic }).types).to.deep.equal(['status']);
  });

  it('should say what to do where the sign-in is refused, and show no secret', () => {
    const { types, server } = pullOnce({ token: 'secret-1' }, { token: 'secret-2' });
    expect(types).to.deep.equal([
      'POST https://exchange.example/EWS/Exchange.asmx was answered 401: the sign-in was refused: check the token, or user name and password.',
    ]);
    expect(server.requests).to.have.length(1);
  });

  it('should get a new token when the old one is refused, for the Unsubscribe too', async () => {
    const server = ewsSimulator({ token: 'token-1' });
    let asked = 0;
    const service = exchange({
      url: server.url,
      transport: server.transport,
      token: () => `token-${++asked}`,
    });
    const watching = pullNotifications(service, { folders: ['inbox'], events: ['newMail'] }).subscribe();
    server.setToken('token-2');
    watching.unsubscribe();
    const { clean } = await service.drain();
    expect(clean).to.equal(true);
    expect(server.requests.map(({ operation, status }) => `${operation!} ${status!}`)).to.deep.equal([
      'Subscribe 200',
      'GetEvents 200',
      'Unsubscribe 401',
      'Unsubscribe 200',
    ]);
  });

  it('should act as another user, and lead the request to that mailbox', () => {
    const { server } = pullOnce({ impersonate: { primarySmtpAddress: 'sara@contoso.com' } });
    for (const { impersonated, headers } of server.requests) {
      expect(impersonated).to.deep.equal({ by: 'PrimarySmtpAddress', name: 'sara@contoso.com' });
      expect(headers['x-anchormailbox']).to.equal('sara@contoso.com');
    }
    expect(server.requests).to.have.length(3);
  });

  it('should not put into a header what is no address', () => {
    for (const impersonate of [{ sid: 'S-1-5-21' }, { principalName: 'jürgen@contoso.com' }]) {
      const { server } = pullOnce({ impersonate });
      expect(server.requests[0]!.headers).to.not.have.property('x-anchormailbox');
      expect(server.requests[0]!.impersonated).to.not.equal(undefined);
    }
  });

  it('should ask for the version that it was given', () => {
    const { server } = pullOnce({ version: 'Exchange2010_SP1' });
    expect(server.requests[0]!.body).to.contain('<t:RequestServerVersion Version="Exchange2010_SP1"/>');
    expect(pullOnce({}).server.requests[0]!.body).to.contain('Version="Exchange2013_SP1"');
  });

  it('sends a request refused as busy again after the waits that retry sets', () => {
    const server = ewsSimulator();
    const types: string[] = [];
    inVirtualTime(() => {
      const retry = { initialMs: 2000, random: () => 0.5 };
      const service = exchange({ url: server.url, transport: server.transport, retry });
      server.failNext(2, { status: 503 });
      pullNotifications(service, { folders: ['inbox'], events: ['newMail'] })
        .pipe(take(1))
        .subscribe(({ type }) => types.push(type));
    });
    const sent = server.requests.map(({ time, operation, status }) => `${time} ${operation!} ${status!}`);
    expect(sent.slice(0, 3)).to.deep.equal(['0 Subscribe 503', '1000 Subscribe 503', '3000 Subscribe 200']);
    expect(types).to.deep.equal(['status']);
  });

  it('should have ten requests under way at most, and let each Unsubscribe go first', () => {
    const server = ewsSimulator({ latencyMs: 100 });
    inVirtualTime(() => {
      const service = exchange({ url: server.url, transport: server.transport });
      const watch = () => pullNotifications(service, { folders: ['inbox'], events: ['newMail'] }).subscribe();
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

  it('should not let open streams keep other calls waiting, however few there may be', () => {
    const server = ewsSimulator({ latencyMs: 100 });
    const types: string[] = [];
    inVirtualTime(() => {
      const service = exchange({ url: server.url, transport: server.transport, maxConcurrentRequests: 1 });
      const options = { folders: ['inbox'], events: ['newMail'] } as const;
      const streaming = streamingNotifications(service, options).subscribe();
      timer(1000).subscribe(() =>
        pullNotifications(service, options)
          .pipe(take(1))
          .subscribe(({ type }) => types.push(type)),
      );
      timer(3000).subscribe(() => streaming.unsubscribe());
    });
    expect(types).to.deep.equal(['status']);
    expect(server.subscriptions).to.deep.equal([]);
  });

  it('should use the fetch that it is given', async () => {
    const urls: string[] = [];
    const fetch: Fetch = (requested) => {
      urls.push(requested);
      return Promise.resolve(new Response('', { status: 403 }));
    };
    const service = exchange({ url, fetch });
    await new Promise<void>((done) => {
      pullNotifications(service, { folders: ['inbox'], events: ['newMail'] }).subscribe({
        error: () => done(),
      });
    });
    expect(urls).to.deep.equal([url]);
  });

  it('should not follow a redirect to another origin with its token', () => {
    const { transport, requests } = respondWith(
      response(302, { headers: { location: 'https://evil.example/EWS/Exchange.asmx' } }),
    );
    const errors: unknown[] = [];
    pullNotifications(exchange({ url, transport, token: 'secret' }), {
      folders: ['inbox'],
      events: ['newMail'],
    }).subscribe({
      error: (error: Error) => errors.push(error.name),
    });
    expect(errors).to.deep.equal(['HttpError']);
    expect(requests).to.have.length(1);
  });

  it('should be disposable: what is open is completed and removed', async () => {
    const server = ewsSimulator();
    const service = exchange({ url: server.url, transport: server.transport });
    let isComplete = false;
    pullNotifications(service, { folders: ['inbox'], events: ['newMail'] }).subscribe({
      complete: () => (isComplete = true),
    });
    await service[Symbol.asyncDispose]();
    expect(isComplete).to.equal(true);
    expect(server.subscriptions).to.have.length(0);
  });

  const bad: readonly [name: string, options: Record<string, unknown>, message: string][] = [
    ['no URL', { url: undefined }, 'url must be given, or the address of a mailbox'],
    ['a relative URL', { url: '/EWS/Exchange.asmx' }, 'url must be an absolute http or https URL'],
    ['a password in the URL', { url: 'https://a:b@mail.example/' }, 'url must be'],
    ['a version of another server', { version: 'Exchange2030' }, 'version must be one of "Exchange2007"'],
    [
      'token and basic at once',
      { token: 'x', basic: { username: 'a', password: 'b' } },
      'token must be left out where basic is given',
    ],
    ['a token with a line break', { token: 'a\nb' }, 'token must be visible ASCII'],
    ['a token that is none', { token: 7 }, 'token must be a string or a function'],
    [
      'a colon in the user name',
      { basic: { username: 'a:b', password: 'c' } },
      'basic.username must be a text without colon',
    ],
    ['no user name', { basic: { username: '', password: 'c' } }, 'basic.username must be'],
    ['a user name that is none', { basic: { password: 'c' } }, 'basic.username must be'],
    ['no password', { basic: { username: 'a' } }, 'basic.password must be'],
    ['a line break in the password', { basic: { username: 'a', password: 'b\n' } }, 'basic.password must be'],
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
    it(`should throw for ${name}, and name the option`, () => {
      const all = { url, ...options } as unknown as ExchangeOptions;
      expect(() => exchange(all)).to.throw(TypeError, message);
    });
  }

  it('should not show a secret in what it throws', () => {
    for (const options of [
      { url: 'https://user:SECRET@mail.example/' },
      { url, token: 'SECRET\n' },
      { url, basic: { username: 'a', password: 'SECRET\n' } },
      { url, basic: { username: 'SECRET:', password: '' } },
    ]) {
      expect(() => exchange(options))
        .to.throw(TypeError)
        .with.property('message')
        .that.does.not.contain('SECRET');
    }
  });

  it('should hand its insides to this protocol only', () => {
    const service = exchange({ url });
    const urls: string[] = [];
    sessionOf(service).current$.subscribe((here) => urls.push(here.url));
    expect(urls).to.deep.equal([url]);
    expect(Object.keys(service)).to.deep.equal([
      'releases',
      'activity$',
      'skippedEvents',
      'as',
      'drain',
      'close',
    ]);
  });
});
