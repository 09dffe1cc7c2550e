import { expect } from 'chai';
import { EventEmitter } from 'node:events';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { asyncScheduler, filter, firstValueFrom, map, NEVER, ReplaySubject, tap, timer } from 'rxjs';
import { run } from '../../lib/cli/run.ts';
import { processTerminal } from '../../lib/cli/terminal.ts';
import { watch } from '../../lib/cli/watch.ts';
import { releaseLedger } from '../../lib/core/lifecycle/ledger.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { ewsSimulator } from '../../lib/testing/ews/simulator.ts';
import { serve, type Served } from '../../lib/testing/http/serve.ts';
import { ucwaDiscovery } from '../../lib/testing/ucwa/discovery/discovery.ts';
import { ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { specTerminal } from '../support/terminal.ts';

describe('rxchange watch, over real sockets', () => {
  let server: Served;

  afterEach(() => server.close());

  const at = (url: string): string => new URL(new URL(url).pathname, server.origin).href;
  const typesOf = (lines: readonly string[]): string[] =>
    lines.map((line) => (JSON.parse(line) as { type: string }).type);

  it('prints mailbox events as JSON until interrupted, then unsubscribes', async () => {
    const simulator = ewsSimulator({ basic: { username: 'sara', password: 'hush' } });
    server = await serve(simulator.transport);
    const terminal = specTerminal({ RXCHANGE_PASSWORD: 'hush' });
    const args = `watch ews --url ${at(simulator.url)} --user sara --folder inbox --interval 0.05`;
    const exit = run(terminal, args.split(' '));
    await terminal.line(/"status"/);
    simulator.deliverMail();
    await terminal.line(/"newMail"/);
    expect(simulator.subscriptions).to.have.length(1);
    terminal.interrupt();
    expect(await exit).to.equal(0);
    expect(new Set(typesOf(terminal.lines.out))).to.deep.equal(new Set(['status', 'newMail']));
    expect(terminal.lines.err).to.have.length(1);
    expect(terminal.lines.err[0]).to.match(/^Released PullSubscription /);
    expect(simulator.subscriptions).to.have.length(0);
  });

  for (const [how, args] of [
    ['by impersonation', []],
    ['as a delegate', ['--delegate']],
  ] as const) {
    it(`streams the events of several mailboxes ${how}, with their addresses`, async () => {
      const simulator = ewsSimulator({ token: 'hush' });
      const mailboxes = ['sara@contoso.com', 'boss@contoso.com'];
      let isDelivered = false;
      const deliver = (): void => {
        if (isDelivered || simulator.subscriptions.length < mailboxes.length) return;
        isDelivered = true;
        for (const mailbox of mailboxes) simulator.mailbox(mailbox).deliverMail();
      };
      server = await serve((request) => simulator.transport(request).pipe(tap(deliver)));
      const terminal = specTerminal({ RXCHANGE_TOKEN: 'hush' });
      for (const mailbox of mailboxes) simulator.mailbox(mailbox);
      const named = mailboxes.flatMap((mailbox) => ['--mailbox', mailbox]);
      const exit = run(terminal, [
        ...['watch', 'ews', '--url', at(simulator.url), '--mode', 'stream'],
        ...named,
        ...args,
      ]);
      for (const mailbox of mailboxes) await terminal.line(new RegExp(`"${mailbox}","type":"newMail"`));
      terminal.interrupt();
      expect(await exit).to.equal(0);
      expect(terminal.lines.err.filter((line) => line.startsWith('Released Streaming'))).to.have.length(2);
      expect(simulator.subscriptions).to.deep.equal([]);
      expect(
        simulator.requests.every(({ impersonated }) => (impersonated === undefined) === args.length > 0),
      ).to.equal(true);
    });
  }

  it('escapes control characters of the server', async () => {
    const simulator = ewsSimulator();
    const withControls = (chunk: Uint8Array): Uint8Array =>
      new TextEncoder().encode(
        new TextDecoder().decode(chunk).replace(/(?<=<t:ItemId Id=")/g, '\u009b2J\u202e'),
      );
    server = await serve((request) =>
      simulator
        .transport(request)
        .pipe(map((response) => ({ ...response, body$: response.body$.pipe(map(withControls)) }))),
    );
    const lines = new ReplaySubject<string>(Infinity);
    const host = Object.assign(new EventEmitter(), {
      ...{ stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() },
      ...{ env: { RXCHANGE_TOKEN: 'hush' }, exit: () => expect.fail('unexpected exit') },
    });
    createInterface({ input: host.stdout }).on('line', (line) => lines.next(line));
    host.stderr.resume();
    const line = (pattern: RegExp): Promise<string> =>
      firstValueFrom(lines.pipe(filter((written) => pattern.test(written))));
    const args = `watch ews --url ${at(simulator.url)} --interval 0.05`;
    const exit = run(processTerminal(host), args.split(' '));
    await line(/"status"/);
    const id = simulator.deliverMail();
    const event = await line(/"newMail"/);
    host.emit('SIGINT');
    expect(await exit).to.equal(0);
    expect(event).to.match(/^[^\p{Cc}\p{Cf}]+$/u);
    expect(JSON.parse(event)).to.have.nested.property('item.id', `\u009b2J\u202e${id}`);
  });

  it('exits with 1 if a subscription is left on the server', async () => {
    const simulator = ewsSimulator();
    server = await serve(simulator.transport);
    simulator.failNext(1, { status: 403 }, 'Unsubscribe');
    const terminal = specTerminal({ RXCHANGE_TOKEN: 'hush' });
    const exit = run(terminal, `watch ews --url ${at(simulator.url)} --all-folders --timeout 5`.split(' '));
    await terminal.line(/"status"/);
    terminal.interrupt();
    expect(await exit).to.equal(1);
    expect(terminal.lines.err[0]).to.match(
      /^Failed PullSubscription .*: HttpError: POST .* was answered 403/,
    );
  });

  it('prints the cause of a failed release after a very long id', async () => {
    const long = 'A'.repeat(2500);
    const simulator = ewsSimulator();
    simulator.failNext(1, { error: 'ErrorAccessDenied' }, 'Unsubscribe');
    const longer = (chunk: Uint8Array): Uint8Array =>
      new TextEncoder().encode(new TextDecoder().decode(chunk).replace(/(?<=<[mt]:SubscriptionId>)/g, long));
    server = await serve((request) =>
      simulator
        .transport({ ...request, body: (request.body ?? '').replaceAll(long, '') })
        .pipe(map((response) => ({ ...response, body$: response.body$.pipe(map(longer)) }))),
    );
    const terminal = specTerminal({ RXCHANGE_TOKEN: 'hush' });
    const exit = run(terminal, `watch ews --url ${at(simulator.url)}`.split(' '));
    await terminal.line(/"status"/);
    terminal.interrupt();
    expect(await exit).to.equal(1);
    expect(simulator.subscriptions).to.have.length(1);
    expect(terminal.lines.err[0]?.slice(0, 600)).to.match(
      /^Failed PullSubscription A+…: .*ErrorAccessDenied/,
    );
  });

  it('exits with 1 for a wrong password, and prints no password', async () => {
    const simulator = ewsSimulator({ basic: { username: 'sara', password: 'hush' } });
    server = await serve(simulator.transport);
    const terminal = specTerminal({}, 'wrong-password');
    expect(await run(terminal, `watch ews --url ${at(simulator.url)} --user sara`.split(' '))).to.equal(1);
    expect(terminal.lines.out).to.deep.equal([]);
    expect(terminal.lines.err[0])
      .to.match(/^HttpError: .* 401/)
      .and.not.match(/hush|wrong-password/);
  });

  it('prints the presence of contacts, then removes its application', async () => {
    const simulator = ucwaSimulator({ token: 'hush', mediumSeconds: 0.02 });
    server = await serve(simulator.transport);
    const terminal = specTerminal({ RXCHANGE_TOKEN: 'hush' });
    const args = `watch ucwa --applications ${at(simulator.url)} --uri sip:sara@contoso.com --duration 10`;
    const exit = run(terminal, args.split(' '));
    await terminal.line(/"presenceSubscription"/);
    simulator.setPresence('sip:sara@contoso.com', { availability: 'Busy' });
    await terminal.line(/"updated".*contactPresence|contactPresence.*"updated"/);
    terminal.interrupt();
    expect(await exit).to.equal(0);
    expect(terminal.lines.err.map((line) => line.split(' ').slice(0, 2).join(' '))).to.deep.equal([
      'Released presenceSubscription',
      'Released application',
    ]);
    expect(simulator.applications).to.deep.equal([]);
  });

  it('finds the server of a domain, signs in, and leaves nothing', async () => {
    const pool = ucwaSimulator({ mediumSeconds: 0.02 });
    const hosts = ucwaDiscovery({ users: { 'sara@contoso.com': 'hush' }, pool: pool.transport });
    server = await serve(hosts.transport);
    const terminal = specTerminal({ RXCHANGE_PASSWORD: 'hush' });
    const who = '--domain contoso.com --user sara@contoso.com --uri sip:john@contoso.com';
    const exit = run(terminal, `watch ucwa ${who} --batch 5 --discovery-url ${server.origin}/`.split(' '));
    await terminal.line(/"presenceSubscription"/);
    expect(pool.presenceSubscriptions.map(({ uris }) => uris)).to.deep.equal([['sip:john@contoso.com']]);
    terminal.interrupt();
    expect(await exit).to.equal(0);
    expect(pool.applications).to.deep.equal([]);
    expect(hosts.tokens).to.have.length(1);
  });

  it('exits with 1 if the sign-in fails, and prints no password', async () => {
    const hosts = ucwaDiscovery({ users: { 'sara@contoso.com': 'hush' } });
    server = await serve(hosts.transport);
    const terminal = specTerminal({ RXCHANGE_PASSWORD: 'wrong-password' });
    const who = '--domain contoso.com --user sara@contoso.com --uri sip:john@contoso.com';
    const args = `watch ucwa ${who} --discovery-url ${server.origin}/`;
    expect(await run(terminal, args.split(' '))).to.equal(1);
    expect(terminal.lines.err[0])
      .to.match(/^SignInError: /)
      .and.not.match(/hush|wrong-password/);
  });
});

describe('rxchange watch, interrupted while the server does not respond', () => {
  const interrupted = async (respondsAfterMs: number): Promise<readonly string[]> => {
    const terminal = specTerminal();
    const ledger = releaseLedger();
    const end = ledger.begin({ resource: 'presenceSubscription', id: '/a?key=hush' });
    const result = inVirtualTime(() => {
      const exit = watch(terminal, NEVER, { releases: ledger, close: () => ledger.close() });
      terminal.interrupt();
      timer(respondsAfterMs).subscribe(end);
      return exit;
    });
    await result;
    return terminal.lines.err;
  };

  it('prints pending releases and the second Ctrl-C after 2 seconds', async () => {
    expect(await interrupted(2001)).to.deep.equal([
      'Pending presenceSubscription /a',
      'The server has not responded yet. Press Ctrl-C again to exit without waiting.',
    ]);
  });

  it('prints nothing if the server responds within 2 seconds', async () => {
    expect(await interrupted(1999)).to.deep.equal([]);
  });

  it('exits with 1 after 10 seconds, and prints what is left', async () => {
    const simulator = ewsSimulator();
    const terminal = specTerminal();
    const exchange = connectExchange({ server: simulator.url, transport: simulator.transport });
    const events$ = pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] });
    const exit = inVirtualTime(({ flush }) => {
      const result = watch(terminal, events$, exchange);
      simulator.failNext(1000, 'reset', 'Unsubscribe');
      terminal.interrupt();
      flush();
      expect(asyncScheduler.now()).to.equal(10_000);
      return result;
    });
    expect(await exit).to.equal(1);
    const failed = terminal.lines.err.filter((line) => line.startsWith('Failed'));
    expect(failed).to.have.length(1);
    expect(failed[0]).to.match(/^Failed PullSubscription .* attempts: NetworkError: /);
  });
});

describe('rxchange watch, interrupted again', () => {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`exits immediately on ${signal}, and prints what is left`, async () => {
      const terminal = specTerminal();
      const ledger = releaseLedger();
      const endOne = ledger.begin({ resource: 'PullSubscription', id: 'a' });
      const endTwo = ledger.begin({ resource: 'PullSubscription', id: undefined });
      const endThree = ledger.begin({ resource: 'presenceSubscription', id: '/b?key=hush' });
      const result = watch(terminal, NEVER, { releases: ledger, close: () => ledger.close() });
      terminal.interrupt();
      await Promise.resolve();
      await Promise.resolve();
      terminal.interrupt(signal);
      expect(await firstValueFrom(terminal.exits$)).to.equal(code);
      expect(terminal.lines.err).to.deep.equal([
        'NotAwaited PullSubscription a',
        'NotAwaited PullSubscription (id unknown)',
        'NotAwaited presenceSubscription /b',
      ]);
      endOne();
      endTwo();
      endThree();
      await result;
    });
  }
});
