import { bearer } from '../../../lib/core/auth/auth.ts';
import { expect } from 'chai';
import { asyncScheduler, of, tap, throwError, timer } from 'rxjs';
import { NetworkError } from '../../../lib/core/errors.ts';
import type { ReleaseOutcome } from '../../../lib/core/lifecycle/releaseOutcome.ts';
import type { Transport } from '../../../lib/core/transport/transport.ts';
import { AutodiscoverError } from '../../../lib/ews/protocol/errors.ts';
import { pullNotifications } from '../../../lib/ews/pull/pull.ts';
import type { ExchangeOptions } from '../../../lib/ews/options.ts';
import { autodiscovered } from '../../../lib/ews/discovery/autodiscover.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { type Exchange } from '../../../lib/ews/session/session.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import type { EwsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { response } from '../../support/responses.ts';
import { type Host, twoServers } from '../twoServers.ts';

const OPTIONS = { folders: ['inbox'], events: ['newMail'] } as const;

/** A domain with two servers; Autodiscover returns one of them. */
interface Domain {
  readonly servers: readonly [EwsSimulator, EwsSimulator];
  readonly exchange: Exchange;
  /** Sets the server that Autodiscover returns. */
  readonly name: (server: Host | 'none') => void;
  /** Disconnects this server. */
  readonly takeDown: (server: Host) => void;
  readonly at: (seconds: number, action: () => void) => void;
  /** Records the events of a pull or a stream until this second. */
  readonly watch: (kind: 'pull' | 'stream', untilSeconds: number) => void;
  /** The second and type of each event but `status`, and of the error. */
  readonly seen: string[];
  /** The seconds of the Autodiscover requests. */
  readonly looks: number[];
  readonly outcomes: ReleaseOutcome[];
  /** The host that received each token. */
  readonly tokens: Set<string>;
}

function domain(script: (domain: Domain) => void, options: Partial<ExchangeOptions> = {}): Domain {
  const seen: string[] = [];
  const looks: number[] = [];
  const outcomes: ReleaseOutcome[] = [];
  const tokens = new Set<string>();
  const now = (): number => asyncScheduler.now() / 1000;
  const hosts = twoServers({}, () => looks.push(now()));
  const { servers } = hosts;
  const transport: Transport = (request) => {
    const authorization = request.headers?.['authorization'];
    if (authorization !== undefined) tokens.add(`${authorization} to ${new URL(request.url).hostname}`);
    return hosts.transport(request);
  };
  const exchange = connectExchange({
    server: autodiscovered('sara@contoso.com'),
    transport,
    retry: { initialMs: 1000, random: () => 0.5 },
    ...options,
  });
  const result: Domain = {
    ...{ servers, exchange, seen, looks, outcomes, tokens },
    name: (server) => (hosts.named = server),
    takeDown: (server) => hosts.down.add(server),
    at: (seconds, action) => {
      timer(seconds * 1000).subscribe(action);
    },
    watch: (kind, untilSeconds) => {
      const notifications = kind === 'pull' ? pullNotifications : streamingNotifications;
      const watching = notifications(exchange, OPTIONS).subscribe({
        next: (event) => {
          if (event.type === 'status') return;
          seen.push(`${now()} ${event.type}${event.type === 'gap' ? ` ${event.reason}` : ''}`);
        },
        error: (error: Error) => seen.push(`${now()} ${error.name}`),
      });
      timer(untilSeconds * 1000).subscribe(() => watching.unsubscribe());
    },
  };
  inVirtualTime(() => {
    exchange.releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));
    script(result);
  });
  return result;
}

const operationsAt = ({ requests }: EwsSimulator): string[] =>
  requests
    .map(({ time, operation }) => `${time / 1000} ${operation!}`)
    .filter((line) => !line.includes('Get'));

describe('A connection that is found by an address', () => {
  it('sends no request and no lookup before subscription', () => {
    const { looks } = domain(() => undefined);
    expect(looks).to.deep.equal([]);
  });

  it('is looked up once, on first use, for all subscriptions', () => {
    const { servers, looks, seen } = domain(({ watch, at, servers: [server] }) => {
      watch('pull', 30);
      watch('stream', 30);
      at(10, () => watch('stream', 30));
      at(20, () => server.deliverMail());
    });
    expect(looks).to.deep.equal([0]);
    expect(seen.map((line) => line.split(' ')[1])).to.deep.equal(['newMail', 'newMail', 'newMail']);
    expect(servers[0].subscriptions).to.deep.equal([]);
    expect(servers[0].requests[0]!.headers).to.include({ 'x-anchormailbox': 'sara@contoso.com' });
  });

  it('receives nothing after an unsubscription during the lookup', () => {
    const { servers, looks, outcomes } = domain(({ watch }) => watch('pull', 0), {
      transport: () => timer(1000).pipe(() => of()),
    });
    expect([looks, outcomes, servers[0].requests]).to.deep.equal([[], [], []]);
  });

  it('requests a token for each server', () => {
    const { tokens } = domain(({ watch }) => watch('pull', 1), {
      auth: bearer((origin) => of(`for-${new URL(origin).hostname}`)),
    });
    expect([...tokens]).to.deep.equal(['Bearer for-mail1.contoso.com to mail1.contoso.com']);
  });

  it('errors at once if the lookup finds nothing', () => {
    const { seen } = domain(({ name, watch }) => {
      name('none');
      watch('pull', 30);
    });
    expect(seen).to.deep.equal(['0 AutodiscoverError']);
  });

  it('is not looked up on hosts that are not allowed', () => {
    const evil = JSON.stringify({ Url: 'https://evil.example/EWS/Exchange.asmx' });
    const asked = new Set<string>();
    const transport: Transport = ({ url }) => {
      asked.add(new URL(url).hostname);
      return of(response(200, { body: [evil] }));
    };
    const run = domain(({ watch }) => watch('pull', 30), { transport });
    expect(run.seen).to.deep.equal(['0 AutodiscoverError']);
    expect(asked.has('evil.example')).to.equal(false);
    const allowing = domain(({ watch }) => watch('pull', 30), {
      transport,
      server: autodiscovered('sara@contoso.com', { allowRedirectTo: ['evil.example'] }),
    });
    expect(allowing.seen[0]).to.not.contain('Autodiscover');
    expect(asked.has('evil.example')).to.equal(true);
  });

  it('retries the lookup without a network as often as configured', () => {
    const offline: Transport = (request) => throwError(() => new NetworkError('no answer', request));
    const { seen } = domain(({ watch }) => watch('pull', 300), {
      transport: offline,
      retry: { retries: 2, initialMs: 2000, random: () => 0.5 },
    });
    expect(seen).to.deep.equal(['3 AutodiscoverError']);
    expect(new AutodiscoverError('contoso.com', []).isUnreachable).to.equal(true);
  });

  it('shares the lookups between 100 subscriptions while there is no network', () => {
    const requestsOf = (count: number): number => {
      let requests = 0;
      const offline: Transport = (request) =>
        throwError(() => new NetworkError('no answer', request)).pipe(
          tap({ subscribe: () => (requests += 1) }),
        );
      const script = ({ watch }: Domain): void => {
        for (let index = 0; index < count; index += 1) watch('pull', 600);
      };
      domain(script, { transport: offline, whenUnreachable: 'wait' });
      return requests;
    };
    expect(requestsOf(100)).to.equal(requestsOf(1));
  });

  it('subscribes at a full new server while old releases are pending', () => {
    const { seen } = domain(({ watch, at, name, takeDown, servers: [, fresh] }) => {
      watch('pull', 300);
      at(60, () => {
        takeDown(0);
        name(1);
        fresh.failNext(1, { error: 'ErrorExceededSubscriptionCount' }, 'Subscribe');
      });
    });
    expect(seen).to.have.length(1);
    expect(seen[0]).to.match(/^\d\d(\.\d+)? gap mailboxMoved$/);
  });

  for (const kind of ['pull', 'stream'] as const) {
    it(`re-creates a ${kind} with a gap after a move`, () => {
      const { servers, seen, looks, outcomes } = domain(({ watch, at, name, servers: [old, fresh] }) => {
        watch(kind, 300);
        at(40, () => {
          old.failNext(
            1,
            { error: 'ErrorMailboxMoveInProgress' },
            kind === 'pull' ? 'GetEvents' : 'GetStreamingEvents',
          );
          old.closeStreams();
          name(1);
        });
        at(200, () => fresh.deliverMail());
      });
      const [gap, mail] = seen;
      expect(gap).to.match(/^1[0-2]\d(\.\d+)? gap mailboxMoved$/);
      expect(mail).to.match(/^2\d\d(\.\d+)? newMail$/);
      expect(seen).to.have.length(2);
      expect(looks).to.have.length(2);
      const [old, fresh] = servers;
      expect(operationsAt(old).map((line) => line.split(' ')[1])).to.deep.equal(['Subscribe', 'Unsubscribe']);
      expect(operationsAt(fresh).map((line) => line.split(' ')[1])).to.deep.equal([
        'Subscribe',
        'Unsubscribe',
      ]);
      expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Released', 'Released']);
      expect([old.subscriptions, fresh.subscriptions]).to.deep.equal([[], []]);
    });
  }

  it('moves all of its subscriptions to the new server', () => {
    const { servers, seen, outcomes } = domain(({ watch, at, name, servers: [old] }) => {
      for (let each = 0; each < 3; each += 1) watch('stream', 300);
      watch('pull', 300);
      at(35, () => {
        old.failNext(1, { error: 'ErrorProxyRequestNotAllowed' }, 'GetEvents');
        name(1);
      });
      at(250, () => expect(old.subscriptions).to.deep.equal([]));
    });
    expect(seen.map((line) => line.slice(line.indexOf(' ') + 1))).to.deep.equal(
      Array<string>(4).fill('gap mailboxMoved'),
    );
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(Array<string>(8).fill('Released'));
    expect(servers[1].subscriptions).to.deep.equal([]);
  });

  it('is looked up again when its server becomes unreachable', () => {
    const { seen, looks } = domain(({ watch, at, name, takeDown, servers: [old, fresh] }) => {
      watch('stream', 600);
      watch('pull', 600);
      at(100, () => {
        takeDown(0);
        name(1);
        old.closeStreams('reset');
      });
      at(400, () => fresh.deliverMail());
    });
    expect(looks).to.have.length(2);
    expect(seen.filter((line) => line.endsWith('gap mailboxMoved'))).to.have.length(2);
    expect(seen.filter((line) => line.endsWith('newMail'))).to.have.length(2);
  });

  it('continues at the same server if Autodiscover returns no other', () => {
    const { servers, seen, looks } = domain(({ watch, at, name, servers: [server] }) => {
      watch('pull', 400);
      at(35, () => {
        server.failNext(1, { error: 'ErrorMailboxFailover' }, 'GetEvents');
        name('none');
      });
      at(300, () => server.deliverMail());
    });
    expect(looks.length).to.be.above(1);
    expect(seen.map((line) => line.slice(line.indexOf(' ') + 1))).to.deep.equal([
      'gap mailboxMoved',
      'newMail',
    ]);
    expect(servers[1].requests).to.deep.equal([]);
    expect(servers[0].subscriptions).to.deep.equal([]);
  });
});
