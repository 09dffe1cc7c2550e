import { expect } from 'chai';
import { asyncScheduler, type Observable, type Subscription, timer } from 'rxjs';
import type { ReleaseOutcome } from '../../../lib/core/lifecycle/releaseOutcome.ts';
import type { EwsEvent } from '../../../lib/ews/protocol/events.ts';
import { pullNotifications } from '../../../lib/ews/pull/pull.ts';
import type { PullOptions } from '../../../lib/ews/pull/options.ts';
import type { ExchangeOptions } from '../../../lib/ews/options.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { type Exchange } from '../../../lib/ews/session/session.ts';
import { ewsSimulator, type EwsSimulator } from '../../../lib/testing/ews/simulator.ts';
import type { EwsSimulatorOptions } from '../../../lib/testing/ews/options.ts';
import { at, inVirtualTime } from '../../support/virtualTime.ts';

/** A simulator, a connection and a record in virtual time. */
export interface Pulling {
  readonly server: EwsSimulator;
  readonly exchange: Exchange;
  /** The values seen, such as `30 newMail`: the second, and the event type or the error name. */
  readonly seen: string[];
  readonly events: EwsEvent[];
  readonly errors: unknown[];
  readonly outcomes: ReleaseOutcome[];
  /** Runs an action at a second of virtual time. */
  readonly at: (seconds: number, action: () => void) => void;
  /** A pull of new, created and modified items in the inbox. */
  readonly pull: (options?: Partial<PullOptions>) => Observable<EwsEvent>;
  /** Records the values of an Observable, and unsubscribes at a second of virtual time. */
  readonly watch: (events$: Observable<EwsEvent>, untilSeconds: number) => Subscription;
  /** The subscriptions on the server some time after the last unsubscribe. */
  readonly left: () => readonly string[];
  /** The second and the name of each operation. */
  readonly sent: () => string[];
}

/** Longer than an Unsubscribe takes, but shorter than any subscription timeout. */
const SETTLED_SECONDS = 25;

/** The options of the connection in {@link pulling}: each backoff is half of its bound. */
export const RETRY = { initialMs: 2000, maxMs: 60_000, random: (): number => 0.5 };

/**
 * Runs a spec against a simulator in virtual time.
 *
 * It fails if a request is still open at the end.
 */
export function pulling(
  script: (pulling: Pulling) => void,
  options: EwsSimulatorOptions = {},
  serviceOptions: Partial<ExchangeOptions> = {},
): Pulling {
  const server = ewsSimulator(options);
  const { url, transport } = server;
  const exchange = connectExchange({ server: url, transport, retry: RETRY, ...serviceOptions });
  const seconds = (): number => asyncScheduler.now() / 1000;
  const seen: string[] = [];
  const events: EwsEvent[] = [];
  const errors: unknown[] = [];
  const outcomes: ReleaseOutcome[] = [];
  let pending = 0;
  let left: readonly string[] = [];

  const result: Pulling = {
    server,
    exchange,
    seen,
    events,
    errors,
    outcomes,
    at,
    pull: (more = {}) =>
      pullNotifications(exchange, {
        folders: ['inbox'],
        events: ['created', 'newMail', 'modified'],
        ...more,
      }),
    watch: (events$, untilSeconds) => {
      const subscription = events$.subscribe({
        next: (event) => {
          events.push(event);
          seen.push(`${seconds()} ${event.type}`);
        },
        error: (error: unknown) => {
          errors.push(error);
          seen.push(`${seconds()} ${error instanceof Error ? error.name : 'error'}`);
        },
        complete: () => seen.push(`${seconds()} complete`),
      });
      timer(untilSeconds * 1000).subscribe(() => subscription.unsubscribe());
      // Read in virtual time: by the real clock, all subscriptions would have expired.
      timer((untilSeconds + SETTLED_SECONDS) * 1000).subscribe(() => {
        left = server.subscriptions.map(({ id }) => id);
      });
      return subscription;
    },
    left: () => left,
    sent: () => server.requests.map(({ time, operation }) => `${time / 1000} ${operation ?? 'nothing'}`),
  };

  inVirtualTime(() => {
    exchange.releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));
    exchange.releases.pending$.subscribe((count) => (pending = count));
    script(result);
  });
  expect(pending, 'nothing is under way').to.equal(0);
  return result;
}

/** The outcomes in the ledger, in order. */
export function outcomesOf({ outcomes }: Pulling): string[] {
  return outcomes.map(({ outcome }) => outcome);
}
