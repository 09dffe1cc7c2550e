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
import { type ReleaseLedger } from './ledger.ts';
import { releaseEntry, type ReleaseEntry, type ReleaseOutcome } from './releaseOutcome.ts';

/** The result of one attempt to release. @inline */
export interface ReleaseResult {
  /** Whether the server no longer had the resource. @default false */
  readonly alreadyGone?: boolean;
  readonly detail?: ReleaseEntry['detail'];
}

/** The reaction to the error of an attempt to release. @inline */
export type ReleaseDecision = 'retry' | 'alreadyGone' | 'fail';

/** How a resource is removed from its server. */
export interface ReleasePlan {
  /** The protocol's name of the resource. */
  readonly resource: string;
  /** The server's id or href of the resource. */
  readonly id: string;
  /** Makes one attempt: it emits at most one result; without one, the resource was removed. */
  readonly attempt: () => Observable<ReleaseResult>;
  readonly decide: (error: unknown) => ReleaseDecision;
  /**
   * When the server removes the resource on its own, in milliseconds of the scheduler's clock: retries end
   * then.
   */
  readonly expiresAt: number | undefined;
  readonly backoff?: BackoffPolicy | undefined;
  /** The waits between attempts that the connection shares. @default those of `backoff` */
  readonly pause?: Pause | undefined;
}

/** How long to retry if the server's own expiry is not known. */
const GIVE_UP_AFTER_MS = 300_000;

/** Why the outcome of a request that `close` gave up is not known. */
export const GIVEN_UP = 'close() gave up before the server responded: pass a longer timeoutMs';

const TRANSIENT_STATUSES = new Set([401, 408, 429, 500, 502, 503, 504]);

/** Returns the default decision: 404 and 410 mean gone, transient failures are retried, all others fail. */
export function decideRelease(error: unknown): ReleaseDecision {
  if (error instanceof NetworkError) return 'retry';
  if (!(error instanceof HttpError)) return 'fail';
  if (error.status === 404 || error.status === 410) return 'alreadyGone';
  return TRANSIENT_STATUSES.has(error.status) ? 'retry' : 'fail';
}

/**
 * Starts to remove a resource from its server, and records the outcome in the ledger. It never throws.
 *
 * It outlives the subscription, and retries with backoff until the server's own expiry, or until the ledger
 * gives up.
 *
 * @param done Called when the ledger has the outcome. The release is still pending then, so that a drain also
 * waits for a release that `done` starts.
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
  // The ledger may have given up before.
  if (attempting.closed) return;
  attempting.add(
    defer(() => {
      attempts += 1;
      return plan.attempt();
    })
      .pipe(tap({ error: (error: unknown) => (failure = error) }), retry({ delay: waitAfter }))
      .subscribe({
        next: (it) => (result = it),
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
