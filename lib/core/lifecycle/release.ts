import {
  asyncScheduler,
  defer,
  type Observable,
  race,
  retry,
  Subscription,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { type BackoffPolicy, type Pause, pausing } from '../backoff/backoff.ts';
import { HttpError, NetworkError } from '../errors.ts';
import { releaseEntry, type ReleaseEntry, type ReleaseLedger, type ReleaseOutcome } from './ledger.ts';

/** What one attempt to release found. */
export interface ReleaseResult {
  /** Whether the server had no such resource any more. @default false */
  readonly alreadyGone?: boolean;
  readonly detail?: ReleaseEntry['detail'];
}

/** What to do about the error of one attempt to release. */
export type ReleaseDecision = 'retry' | 'alreadyGone' | 'fail';

/** How a resource is removed from its server. */
export interface ReleasePlan {
  /** What it is, in the protocol's own words. */
  readonly resource: string;
  /** The server's id or href of it. */
  readonly id: string;
  /** One attempt: emits at most one result. Completing without one means that it was removed. */
  readonly attempt: () => Observable<ReleaseResult>;
  readonly decide: (error: unknown) => ReleaseDecision;
  /** Until when to try, in milliseconds of the scheduler's clock: when the server removes it by itself. */
  readonly expiresAt: number | undefined;
  readonly backoff?: BackoffPolicy | undefined;
  /** The waits between attempts, where the connection has them for all. @default those of `backoff` */
  readonly pause?: Pause | undefined;
}

/** How long to try where the server's own expiry is not known. */
const GIVE_UP_AFTER_MS = 300_000;

/** Why the outcome is not known of a request that `close` gave up. */
export const GIVEN_UP = 'close() gave up before the server answered: a longer timeoutMs waits for it';

const TRANSIENT_STATUSES = new Set([401, 408, 429, 500, 502, 503, 504]);

/** The usual decision: what is not found is gone, what passes by itself is tried again, the rest fails. */
export function decideRelease(error: unknown): ReleaseDecision {
  if (error instanceof NetworkError) return 'retry';
  if (!(error instanceof HttpError)) return 'fail';
  if (error.status === 404 || error.status === 410) return 'alreadyGone';
  return TRANSIENT_STATUSES.has(error.status) ? 'retry' : 'fail';
}

/**
 * Removes a resource from its server and records the outcome in the ledger. It never throws.
 *
 * It begins at once, outlives the subscription, and retries with backoff until the server's own expiry, or until the
 * ledger gives up.
 *
 * @param done Called when the outcome stands in the ledger, while the ledger still counts it as pending: so
 * a drain that waits for it also waits for what `done` begins.
 */
export function release(
  ledger: Pick<ReleaseLedger, 'begin' | 'record' | 'givenUp$'>,
  plan: ReleasePlan,
  done: () => void,
): void {
  const end = ledger.begin(plan);
  const deadline = plan.expiresAt ?? asyncScheduler.now() + GIVE_UP_AFTER_MS;
  const pause = plan.pause ?? pausing(plan.backoff);
  let attempts = 0;
  let result: ReleaseResult = {};
  let failure: unknown;
  const attempting = new Subscription();

  const settle = (outcome: ReleaseOutcome): void => {
    attempting.unsubscribe();
    ledger.record(outcome);
    done();
    end();
  };

  const waitAfter = (error: unknown): Observable<unknown> => {
    const left = deadline - asyncScheduler.now();
    if (plan.decide(error) !== 'retry' || left <= 0) return throwError(() => error);
    return race(timer(left), pause(attempts, error));
  };

  attempting.add(
    ledger.givenUp$.subscribe(() => {
      const cause = failure ?? new Error(GIVEN_UP);
      settle({ outcome: 'Failed', attempts, cause, ...releaseEntry(plan.resource, plan.id) });
    }),
  );
  // It may have given up already.
  if (attempting.closed) return;
  attempting.add(
    defer(() => {
      attempts += 1;
      return plan.attempt();
    })
      .pipe(tap({ error: (error: unknown) => (failure = error) }), retry({ delay: waitAfter }))
      .subscribe({
        next: (found) => (result = found),
        complete: () => {
          const outcome = result.alreadyGone === true ? 'AlreadyGone' : 'Released';
          settle({ outcome, attempts, ...releaseEntry(plan.resource, plan.id, result.detail) });
        },
        error: (cause: unknown) => {
          const decision = plan.decide(cause);
          const entry = releaseEntry(plan.resource, plan.id);
          if (decision === 'alreadyGone') settle({ outcome: 'AlreadyGone', attempts, ...entry });
          else if (decision === 'retry' && plan.expiresAt !== undefined) {
            settle({ outcome: 'Expired', attempts, cause, ...entry });
          } else settle({ outcome: 'Failed', attempts, cause, ...entry });
        },
      }),
  );
}
