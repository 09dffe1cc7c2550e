import { affinity } from '../../../lib/ews/discovery/affinity.ts';
import { expect } from 'chai';
import { merge, Observable, of, timer } from 'rxjs';
import { headersFrom } from '../../../lib/core/transport/transport.ts';
import type { EwsEvent } from '../../../lib/ews/protocol/events.ts';
import { pullNotifications } from '../../../lib/ews/pull/pull.ts';
import type { ExchangeOptions } from '../../../lib/ews/options.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import type { EwsDialect } from '../../../lib/testing/ews/dialect.ts';
import { ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { type EwsSimulatorOptions } from '../../../lib/testing/ews/options.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

const OPTIONS = { folders: ['inbox'], events: ['newMail'] } as const;
const addresses = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}@contoso.com`);

function connected(serverOptions: EwsSimulatorOptions = {}, options: Partial<ExchangeOptions> = {}) {
  const server = ewsSimulator(serverOptions);
  const exchange = connectExchange({ server: server.url, transport: server.transport, ...options });
  return { server, exchange };
}

describe('One connection for several mailboxes', () => {
  for (const dialect of ['exchange', 'grommunio'] satisfies EwsDialect[]) {
    for (const notifications of [pullNotifications, streamingNotifications]) {
      it(`routes events to each user, by ${notifications.name}, with ${dialect}`, () => {
        const { server, exchange } = connected({ dialect });
        const seen: string[] = [];
        let pending = 0;
        inVirtualTime(() => {
          exchange.releases.pending$.subscribe((count) => (pending = count));
          for (const address of addresses) {
            server.mailbox(address);
            const watching = notifications(
              exchange.actingAs({ primarySmtpAddress: address }),
              OPTIONS,
            ).subscribe(({ type }: EwsEvent) => type === 'newMail' && seen.push(address));
            timer(200_000).subscribe(() => watching.unsubscribe());
          }
          timer(50_000).subscribe(() => server.mailbox('b@contoso.com').deliverMail());
          timer(100_000).subscribe(() => server.mailbox('d@contoso.com').deliverMail());
          timer(150_000).subscribe(() => expect(server.subscriptions).to.have.length(5));
        });
        expect(seen).to.deep.equal(['b@contoso.com', 'd@contoso.com']);
        expect(pending).to.equal(0);
        expect(server.subscriptions).to.deep.equal([]);
      });
    }
  }

  it('impersonates by each of the four names in every request', () => {
    const { server, exchange } = connected();
    const names = [
      { principalName: 'sara@contoso.com' },
      { sid: 'S-1-5-21' },
      { primarySmtpAddress: 'sara@contoso.com' },
      { smtpAddress: 'sara@contoso.com' },
    ];
    for (const name of names) pullNotifications(exchange.actingAs(name), OPTIONS).subscribe().unsubscribe();
    const by = server.requests.map(({ impersonated }) => `${impersonated!.by} ${impersonated!.name}`);
    expect(by).to.deep.equal(
      [
        'PrincipalName sara@contoso.com',
        'SID S-1-5-21',
        'PrimarySmtpAddress sara@contoso.com',
        'SmtpAddress sara@contoso.com',
      ]
        // Subscribe, GetEvents, Unsubscribe.
        .flatMap((line) => [line, line, line]),
    );
  });

  it('finds the server of each user, without cookies of others', () => {
    const { server, exchange } = connected();
    for (const address of addresses.slice(0, 2)) {
      streamingNotifications(exchange.actingAs({ smtpAddress: address }), OPTIONS)
        .subscribe()
        .unsubscribe();
    }
    expect(server.requests.map(({ headers }) => headers['x-anchormailbox'])).to.deep.equal([
      'a@contoso.com',
      'a@contoso.com',
      'b@contoso.com',
      'b@contoso.com',
    ]);
    expect(server.requests.every(({ headers }) => headers['x-preferserveraffinity'] === 'true')).to.equal(
      true,
    );
  });

  it('shares streaming connections among users of one anchor', () => {
    const { server, exchange } = connected({}, { anchorMailbox: 'a@contoso.com' });
    const seen: string[] = [];
    inVirtualTime(() => {
      const streams = addresses.map((address) =>
        streamingNotifications(exchange.actingAs({ smtpAddress: address }), OPTIONS),
      );
      const watching = merge(...streams).subscribe(({ type }) => seen.push(type));
      timer(1000).subscribe(() =>
        expect(server.streams.map(({ subscriptionIds }) => subscriptionIds)).to.have.length(1),
      );
      timer(2000).subscribe(() => server.deliverMail());
      timer(3000).subscribe(() => watching.unsubscribe());
    });
    expect(seen).to.deep.equal(Array<string>(5).fill('newMail'));
    expect(server.requests.filter(({ operation }) => operation === 'GetStreamingEvents')).to.have.length(1);
    expect(new Set(server.requests.map(({ headers }) => headers['x-anchormailbox']))).to.deep.equal(
      new Set(['a@contoso.com']),
    );
    expect(server.subscriptions).to.deep.equal([]);
  });

  it('accepts the anchor of a group for each user', () => {
    const { server, exchange } = connected();
    inVirtualTime(() => {
      const streams = addresses.map((address, index) =>
        streamingNotifications(
          exchange.actingAs({ smtpAddress: address }, { anchorMailbox: addresses[index < 3 ? 0 : 3]! }),
          OPTIONS,
        ),
      );
      const watching = merge(...streams).subscribe();
      timer(1000).subscribe(() => {
        const sizes = server.streams.map(({ subscriptionIds }) => subscriptionIds.length);
        expect(sizes.sort()).to.deep.equal([2, 3]);
        watching.unsubscribe();
      });
    });
    expect(server.subscriptions).to.deep.equal([]);
  });

  it('sends the cookie of a group until a mailbox moves', () => {
    const server = ewsSimulator();
    const cookies: string[] = [];
    let box = 1;
    const exchange = connectExchange({
      server: server.url,
      anchorMailbox: 'a@contoso.com',
      affinity: affinity(),
      transport: (request) => {
        const operation = /<m:(\w+)>/.exec(request.body ?? '')?.[1] ?? '';
        cookies.push(`${operation} ${request.headers?.['cookie'] ?? '-'}`);
        const cookie = `X-BackEndOverrideCookie=mbx${box}; path=/; secure`;
        return new Observable((subscriber) =>
          server.transport(request).subscribe({
            next: (response) => {
              const isFirst = request.headers?.['cookie'] === undefined;
              const headers = isFirst ? headersFrom({ 'set-cookie': cookie }) : headersFrom({});
              subscriber.next({ ...response, headers });
            },
            error: (error: unknown) => subscriber.error(error),
            complete: () => subscriber.complete(),
          }),
        );
      },
    });
    inVirtualTime(() => {
      const watching = streamingNotifications(exchange, OPTIONS).subscribe();
      timer(10_000).subscribe(() => {
        box = 2;
        server.failNext(1, { error: 'ErrorMailboxStoreUnavailable' }, 'GetStreamingEvents');
        server.closeStreams();
      });
      timer(200_000).subscribe(() => watching.unsubscribe());
    });
    const [one, two] = ['X-BackEndOverrideCookie=mbx1', 'X-BackEndOverrideCookie=mbx2'];
    expect(cookies.slice(0, 2)).to.deep.equal(['Subscribe -', `GetStreamingEvents ${one}`]);
    expect(cookies.slice(-3)).to.deep.equal([
      'Subscribe -',
      `GetStreamingEvents ${two}`,
      `Unsubscribe ${two}`,
    ]);
    expect(server.subscriptions).to.deep.equal([]);
  });

  it('has one ledger and one limit for all users, and one close', async () => {
    const { server, exchange } = connected({}, { maxConcurrentRequests: 2 });
    const other = exchange.actingAs({ smtpAddress: 'b@contoso.com' });
    expect(other.releases).to.equal(exchange.releases);
    let completed = 0;
    for (const each of [exchange, other]) {
      pullNotifications(each, OPTIONS).subscribe({ complete: () => (completed += 1) });
    }
    const { clean, outcomes } = await other.close();
    expect([completed, clean, outcomes.length, server.subscriptions.length]).to.deep.equal([2, true, 2, 0]);
    const limited = connected({ latencyMs: 10 }, { maxConcurrentRequests: 2 });
    inVirtualTime(() => {
      const pulls = addresses.map((address) =>
        pullNotifications(limited.exchange.actingAs({ smtpAddress: address }), OPTIONS),
      );
      const watching = merge(...pulls).subscribe();
      timer(1).subscribe(() => expect(limited.server.requests).to.have.length(2));
      timer(1000).subscribe(() => watching.unsubscribe());
    });
    expect(limited.server.subscriptions).to.deep.equal([]);
  });

  it('watches folders of others by distinguished name or by id', () => {
    const { server, exchange } = connected();
    const delegate = server.mailbox('boss@contoso.com');
    const seen: string[] = [];
    inVirtualTime(() => {
      const inbox = { distinguished: 'inbox', mailbox: 'boss@contoso.com' };
      const watching = merge(
        streamingNotifications(exchange, { folders: [inbox], events: ['newMail'] }),
        pullNotifications(exchange, { folders: [{ id: server.folderId('drafts') }], events: ['created'] }),
      ).subscribe(({ type }) => type === 'status' || seen.push(type));
      timer(1000).subscribe(() => {
        server.deliverMail();
        delegate.deliverMail();
        server.createItem('drafts');
      });
      timer(40_000).subscribe(() => watching.unsubscribe());
    });
    expect(seen).to.deep.equal(['newMail', 'created']);
    expect(server.requests[0]!.body).to.contain(
      '<t:DistinguishedFolderId Id="inbox"><t:Mailbox><t:EmailAddress>boss@contoso.com</t:EmailAddress></t:Mailbox>',
    );
    expect(server.requests[0]!.impersonated).to.equal(undefined);
    expect(server.subscriptions).to.deep.equal([]);
  });

  it('always sends X-AnchorMailbox with a token', () => {
    const token = 'secret';
    const { server, exchange } = connected({ token }, { auth: bearer(token) });
    pullNotifications(exchange.actingAs({ primarySmtpAddress: 'a@contoso.com' }), OPTIONS)
      .subscribe()
      .unsubscribe();
    pullNotifications(exchange.actingAs({ sid: 'S-1-5-21' }, { anchorMailbox: 'b@contoso.com' }), OPTIONS)
      .subscribe()
      .unsubscribe();
    expect(server.requests.map(({ headers }) => headers['x-anchormailbox']![0])).to.deep.equal(
      'aaabbb'.split(''),
    );
    const message =
      'anchorMailbox must be an SMTP address if a token acts as a user who is not named by an address';
    expect(() => exchange.actingAs({ sid: 'S-1-5-21' })).to.throw(TypeError, message);
    expect(() =>
      connectExchange({ server: server.url, auth: bearer(() => of(token)), impersonate: { sid: 'S-1' } }),
    ).to.throw(TypeError, message);
  });

  it('throws for an ambiguous user, and for an invalid anchor', () => {
    const { exchange } = connected();
    expect(() => exchange.actingAs({} as { sid: string })).to.throw(
      TypeError,
      'impersonate must be an object with exactly one of',
    );
    expect(() => exchange.actingAs('sara' as unknown as { sid: string })).to.throw(
      TypeError,
      'impersonate must be an object',
    );
    expect(() => exchange.actingAs({ sid: 'S-1' }, { anchorMailbox: 'sara' })).to.throw(
      TypeError,
      'anchorMailbox must be an SMTP address',
    );
    expect(() => connected({}, { anchorMailbox: 'a\n@b' })).to.throw(
      TypeError,
      'anchorMailbox must be an SMTP address',
    );
  });
});
