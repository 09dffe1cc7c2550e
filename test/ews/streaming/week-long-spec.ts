import { expect } from 'chai';
import { asyncScheduler, of, Subscription, takeUntil, timer } from 'rxjs';
import type { ReleaseOutcome } from '../../../lib/core/lifecycle/releaseOutcome.ts';
import type { EwsEvent, GapReason } from '../../../lib/ews/protocol/events.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import type { EwsDialect } from '../../../lib/testing/ews/dialect.ts';
import { ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const END_MS = 7 * DAY_MS;
const MAILBOXES = ['ann', 'bob', 'cid', 'dan', 'eve'].map((name) => `${name}@contoso.example`);
const MOVED = MAILBOXES[3];
const MOVED_AT_MS = 2.3 * DAY_MS;
const EACH = 60;

/** A mail that was delivered, and when. */
interface Mail {
  readonly id: string;
  readonly at: number;
}

/** The record of one subscriber of one mailbox. */
interface Watcher {
  readonly mails: string[];
  readonly gaps: { readonly reason: GapReason; readonly since: number; readonly seenAt: number }[];
  /** The mails that were delivered to the mailbox. */
  readonly sent: readonly Mail[];
}

/** Runs the week, and returns its counts. */
function week(dialect: EwsDialect): {
  readonly watchers: readonly Watcher[];
  readonly errors: readonly unknown[];
  readonly outcomes: readonly ReleaseOutcome[];
  readonly heldEachDay: readonly number[];
  readonly mostStreams: number;
  readonly left: readonly number[];
  readonly connections: number;
} {
  const server = ewsSimulator({
    dialect,
    token: 'token-0',
    latencyMs: 150,
    // Fewer heartbeats than a real server sends, so that the week runs faster.
    heartbeatSeconds: 890,
  });
  const watchers: Watcher[] = [];
  const errors: unknown[] = [];
  const outcomes: ReleaseOutcome[] = [];
  const heldEachDay: number[] = [];
  const pending: number[] = [];
  const left: number[] = [];
  let mostStreams = 0;
  let hour = 0;
  const at = (ms: number, action: () => void): void => void timer(ms).subscribe(action);
  /** Repeats an action until the last minute. */
  const each = (firstMs: number, everyMs: number, action: () => void): void =>
    void timer(firstMs, everyMs)
      .pipe(takeUntil(timer(END_MS - MINUTE_MS)))
      .subscribe(action);

  const see = ({ mails, gaps }: Watcher, event: EwsEvent): void => {
    if (event.type === 'newMail') mails.push(event.item!.id);
    if (event.type !== 'gap') return;
    gaps.push({
      reason: event.reason,
      since: event.since?.getTime() ?? 0,
      seenAt: asyncScheduler.now(),
    });
  };

  inVirtualTime(() => {
    MAILBOXES.forEach((primarySmtpAddress, which) => {
      const mailbox = server.mailbox(primarySmtpAddress);
      const sent: Mail[] = [];
      const exchange = connectExchange({
        server: server.url,
        transport: server.transport,
        auth: bearer(() => of(`token-${hour}`)),
        impersonate: { primarySmtpAddress },
        limits: { silenceSeconds: 1780 },
      });
      exchange.releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));
      exchange.releases.pending$.subscribe((count) => (pending[which] = count));
      const all = new Subscription();
      at(END_MS, () => all.unsubscribe());
      for (let index = 0; index < EACH; index += 1) {
        const watcher: Watcher = { mails: [], gaps: [], sent };
        watchers.push(watcher);
        at(index * 40, () =>
          all.add(
            streamingNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe({
              next: (event) => see(watcher, event),
              error: (error: unknown) => errors.push(error),
            }),
          ),
        );
      }
      const deliver = (): void => void sent.push({ id: mailbox.deliverMail(), at: asyncScheduler.now() });
      // Some arrive close to the ends of requests, to the restarts, and to the silence.
      each(MINUTE_MS, (37 + 5 * which) * MINUTE_MS + 1250, deliver);
      if (primarySmtpAddress === MOVED) {
        // A mail arrives during the move.
        at(MOVED_AT_MS, () => server.moveMailbox(primarySmtpAddress, 20));
        at(MOVED_AT_MS + 2 * MINUTE_MS, deliver);
      }
    });

    each(HOUR_MS, HOUR_MS, () => {
      hour += 1;
      server.setToken(`token-${hour}`);
    });
    each(DAY_MS - MINUTE_MS, DAY_MS, () => heldEachDay.push(server.subscriptions.length));
    each(DAY_MS, DAY_MS, () => server.restart());
    for (const day of [1.4, 4.6]) at(day * DAY_MS + 77_000, () => server.stallStreams());
    each(0, 7 * MINUTE_MS, () => {
      mostStreams = Math.max(mostStreams, server.streams.length);
    });
    at(END_MS + MINUTE_MS, () => left.push(server.subscriptions.length, server.streams.length, ...pending));
  });

  const connections = server.requests.filter(
    ({ operation, status }) => operation === 'GetStreamingEvents' && status === 200,
  ).length;
  return { watchers, errors, outcomes, heldEachDay, mostStreams, left, connections };
}

describe('A week of 300 streams over five mailboxes', () => {
  for (const dialect of ['exchange', 'grommunio'] satisfies EwsDialect[]) {
    it(`emits each mail once and in order, or a gap, with ${dialect}`, () => {
      const { watchers, errors, outcomes, heldEachDay, mostStreams, left, connections } = week(dialect);
      expect(errors).to.deep.equal([]);
      expect(heldEachDay, 'what is on the server is what is alive here').to.deep.equal(
        Array<number>(6).fill(MAILBOXES.length * EACH),
      );
      for (const { mails, gaps, sent } of watchers) {
        const seen = new Set(mails);
        expect(mails, 'once, in order').to.deep.equal(
          sent.filter(({ id }) => seen.has(id)).map(({ id }) => id),
        );
        const unreported = sent.filter(
          ({ id, at }) => !seen.has(id) && !gaps.some(({ since, seenAt }) => since <= at && at <= seenAt),
        );
        expect(unreported, 'every loss has a gap').to.deep.equal([]);
        expect(sent.length - mails.length, 'few are missing').to.be.below(9);
      }
      // Six restarts, two silent failures and a move. Ends of requests and tokens cause no gap.
      // The subscriptions of grommunio end five minutes after their stream: some end in the silence.
      const silent = dialect === 'exchange' ? 'connectionLost' : 'subscriptionLost';
      const shown = (reason: GapReason): GapReason => (reason === 'connectionLost' ? silent : reason);
      for (const [which, address] of MAILBOXES.entries()) {
        const moved = address === MOVED ? (['mailboxMoved'] as const) : [];
        const expected: readonly GapReason[] = [
          'subscriptionLost',
          'connectionLost',
          'subscriptionLost',
          ...moved,
          'subscriptionLost',
          'subscriptionLost',
          'connectionLost',
          'subscriptionLost',
          'subscriptionLost',
        ];
        for (const { gaps } of watchers.slice(which * EACH, (which + 1) * EACH)) {
          expect(gaps.map(({ reason }) => shown(reason))).to.deep.equal(expected.map(shown));
        }
      }
      const count = (name: ReleaseOutcome['outcome']): number =>
        outcomes.filter(({ outcome }) => outcome === name).length;
      expect(count('Released'), 'those that were left').to.equal(watchers.length);
      const ended = count('EndedByServer') / watchers.length;
      if (dialect === 'exchange') expect(ended, 'those that six restarts took').to.equal(6);
      else expect(ended, 'those that restarts and silences took').to.be.within(6, 8);
      expect(count('AlreadyGone'), 'those that the move took').to.equal(EACH);
      expect(outcomes).to.have.length((1 + ended) * watchers.length + EACH);
      // One for each half an hour and mailbox, and a few more: after the move each
      // reconnects on its own. With grommunio each lasts until the heartbeat after its half an hour.
      const leastOfDay = dialect === 'exchange' ? 48 : 44;
      expect(connections).to.be.within(5 * 7 * leastOfDay, 5 * (7 * 48 + 40) + EACH);
      expect(mostStreams).to.be.within(5, 10);
      expect(left, 'nothing is left, nor under way').to.deep.equal([0, 0, ...MAILBOXES.map(() => 0)]);
    }).timeout(300_000);
  }
});
