import { expect } from 'chai';
import fc from 'fast-check';
import { defer, of, throwError, timer } from 'rxjs';
import { NetworkError } from '../../lib/core/errors.ts';
import type { ReleaseOutcome } from '../../lib/core/releases.ts';
import { headersFrom, type Transport } from '../../lib/core/transport.ts';
import { pullNotifications } from '../../lib/ews/pull.ts';
import { exchange } from '../../lib/ews/service.ts';
import { streamingNotifications } from '../../lib/ews/streaming.ts';
import { type EwsFailure, type EwsOperation, ewsSimulator } from '../../lib/testing/ewsSimulator.ts';
import { follower, newTally } from '../chaos/follower.ts';
import { marbles } from '../support/marbles.ts';
import { persistently } from '../support/persistently.ts';
import { response } from '../support/responses.ts';

type Host = 0 | 1;

/** What happens to a domain of two servers that have the same mailbox. */
type Change =
  | { readonly named: Host | 'none' }
  | { readonly down: Host }
  | { readonly up: Host }
  | { readonly restart: Host }
  | { readonly streamsEnd: Host }
  | { readonly fail: Host; readonly how: EwsFailure; readonly on: EwsOperation; readonly count: number };

interface Scenario {
  readonly visits: readonly {
    readonly at: number;
    readonly forSeconds: number;
    readonly way: 'pull' | 'streaming';
  }[];
  readonly changes: readonly (readonly [atSecond: number, change: Change])[];
  readonly mails: readonly number[];
  readonly latencyMs: number;
  /** Where all is in the end. */
  readonly home: Host;
  /** Whether the other server is there no longer then. */
  readonly isRetired: boolean;
}

const SPAN_SECONDS = 1200;
const second = fc.nat(SPAN_SECONDS);
const host = fc.constantFrom<Host>(0, 1);

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ named: fc.constantFrom<Host | 'none'>(0, 1, 0, 1, 'none') }),
  fc.record({ down: host }),
  fc.record({ up: host }),
  fc.record({ restart: host }),
  fc.record({ streamsEnd: host }),
  fc.record({
    fail: host,
    how: fc.constantFrom<EwsFailure>(
      { error: 'ErrorMailboxMoveInProgress' },
      { error: 'ErrorProxyRequestNotAllowed' },
      { error: 'ErrorMailboxFailover' },
      { status: 502 },
      { status: 503 },
      'resetAfterActing',
    ),
    on: fc.constantFrom<EwsOperation>('Subscribe', 'GetEvents', 'GetStreamingEvents', 'Unsubscribe'),
    count: fc.integer({ min: 1, max: 8 }),
  }),
);

const scenario: fc.Arbitrary<Scenario> = fc.record({
  visits: fc.array(
    fc.record({
      at: second,
      forSeconds: fc.oneof(fc.nat(900), fc.constant(Infinity)),
      way: fc.constantFrom('pull' as const, 'streaming' as const),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  changes: fc.array(fc.tuple(second, change), { maxLength: 8 }),
  mails: fc.array(second, { maxLength: 12 }),
  latencyMs: fc.constantFrom(0, 20, 2000),
  home: host,
  isRetired: fc.boolean(),
});

const HOSTS = ['mail1.contoso.com', 'mail2.contoso.com'] as const;
const CALM_AT = 1300;
const LAST_MAIL_AT = 2500;
const QUIET_AT = 2800;
/** Later than a subscription lives by itself. */
const SETTLED_AT = 6000;

/** What became of a scenario: each line is a breach of a law. */
function run({ visits, changes, mails, latencyMs, home, isRetired }: Scenario): readonly string[] {
  const servers = [ewsSimulator({ latencyMs }), ewsSimulator({ latencyMs })] as const;
  const [folder, same] = servers.map((server) => server.createFolder());
  const down = new Set<Host>();
  const breaches: string[] = [];
  const outcomes: ReleaseOutcome[] = [];
  const tally = newTally();
  let named: Host | 'none' = 0;
  let events = 0;

  const transport: Transport = (request) => {
    const { hostname } = new URL(request.url);
    const index = HOSTS.findIndex((one) => one === hostname) as Host | -1;
    if (index !== -1 && down.has(index))
      return throwError(() => new NetworkError('no answer', request, { code: 'ECONNREFUSED' }));
    if (index !== -1) return servers[index].transport(request);
    if (named === 'none') return of(response(404));
    const found = JSON.stringify({ Protocol: 'EWS', Url: `https://${HOSTS[named]}/EWS/Exchange.asmx` });
    const headers = headersFrom({ 'content-type': 'application/json' });
    return of({ ...response(200, { body: [found] }), headers });
  };
  const service = exchange({
    address: 'sara@contoso.com',
    transport,
    retry: { initialMs: 1000, random: () => 0.5 },
  });

  const happen = (): void => {
    events += 1;
    for (const server of servers) server.deliverMail(folder);
  };
  const act = (one: Change): void => {
    if ('named' in one) ({ named } = one);
    else if ('down' in one) {
      down.add(one.down);
      servers[one.down].closeStreams('reset');
    } else if ('up' in one) down.delete(one.up);
    else if ('restart' in one) servers[one.restart].restart();
    else if ('streamsEnd' in one) servers[one.streamsEnd].closeStreams('reset');
    else servers[one.fail].failNext(one.count, one.how, one.on);
  };

  let alive: readonly { readonly last: number }[] = [];
  const enter = ({ forSeconds, way }: Scenario['visits'][number]): void => {
    const watched = { folders: [{ id: folder! }], events: ['modified'] } as const;
    let followed = follower(tally);
    const events$ = defer(() => {
      followed = follower(tally);
      return way === 'pull' ? pullNotifications(service, watched) : streamingNotifications(service, watched);
    });
    const watching = events$.pipe(persistently(20_000)).subscribe((event) => {
      if (event.type === 'gap') followed.gap();
      // None is ever read, so that many have come.
      else if (event.type === 'modified') followed.take(event.unreadCount ?? 0);
    });
    const me = {
      get last() {
        return followed.last;
      },
    };
    alive = [...alive, me];
    watching.add(() => (alive = alive.filter((one) => one !== me)));
    if (forSeconds < Infinity) timer(forSeconds * 1000).subscribe(() => watching.unsubscribe());
  };

  const held = (): number => servers.reduce((sum, { subscriptions }) => sum + subscriptions.length, 0);
  const mayBeLeft = (): number =>
    outcomes.filter(({ outcome }) => outcome === 'Unknown' || outcome === 'Failed').length;
  const at = (seconds: number, action: () => void): void => void timer(seconds * 1000).subscribe(action);

  marbles(() => {
    expect(same).to.equal(folder);
    service.releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));
    for (const visit of visits) at(visit.at, () => enter(visit));
    for (const [seconds, one] of changes) at(seconds, () => act(one));
    for (const seconds of mails) at(seconds, happen);
    at(CALM_AT, () => {
      named = home;
      down.clear();
      const other = home === 0 ? 1 : 0;
      if (isRetired) act({ down: other });
      for (const server of servers) server.clearFailures();
    });
    at(LAST_MAIL_AT, happen);
    at(QUIET_AT, () => {
      const there = isRetired ? servers[home].subscriptions.length : held();
      const extra = there - alive.length;
      if (extra < 0 || extra > mayBeLeft())
        breaches.push(`${there} on the servers for ${alive.length} that are alive, ${mayBeLeft()} told of`);
      for (const { last } of alive)
        if (last !== events) breaches.push(`told of ${last} last, and not of ${events}`);
      void service.close();
    });
    at(SETTLED_AT, () => {
      if (held() > mayBeLeft()) breaches.push(`${held()} left on the servers, ${mayBeLeft()} told of`);
    });
  });
  const { losses, doubles, disorders } = tally;
  if (losses + doubles + disorders > 0)
    breaches.push(`${losses} lost and not told, ${doubles} twice, ${disorders} in the wrong order`);
  return breaches;
}

describe('The laws of a service that is found by an address, while its mailbox moves and servers fail', () => {
  it('should lose nothing without telling, end up where the mailbox is, and leave nothing behind', function () {
    const numRuns = Number(process.env['PROGRAMS'] ?? 200);
    this.timeout(60_000 + numRuns * 100);
    fc.assert(
      fc.property(scenario, (tried) => {
        expect(run(tried)).to.deep.equal([]);
      }),
      { numRuns },
    );
  });
});
