import {
  asyncScheduler,
  catchError,
  EMPTY,
  filter,
  finalize,
  merge,
  mergeMap,
  type Observable,
  of,
  retry,
  throwError,
} from 'rxjs';
import { releaseEntry } from '../../core/lifecycle/ledger.ts';
import type { UcwaSession } from '../session/session.ts';
import { decide } from '../protocol/failures.ts';
import { EndedError } from '../protocol/errors.ts';
import type { UcwaEvent } from '../protocol/events.ts';
import { probeApplication } from '../application/probe.ts';
import { subscriptionLease } from './lease.ts';
import type { LiveApplication } from '../application/liveApplication.ts';
import { close, failing, type EventFilter } from './eventFilter.ts';
import { SUBSCRIPTION_ENDED, type Ending, type SubscriptionState } from './state.ts';
import type { Created, SubscriptionType } from './subscriptionType.ts';

/** What to do when the server has ended a subscription that is still wanted. */
export type OnEnd = 'recreate' | 'complete' | 'error';

const HOW: Readonly<Record<Exclude<Ending, 'doubtful'>, string>> = {
  deleted: 'its time was over, or somebody has removed it',
  gone: 'the server no longer knows it',
  lost: 'the server has lost the state of the application, or the application',
};

/** One that the server ends sooner than this is waited for before it is made again. */
const LASTS_AT_LEAST_MS = 60_000;

/** How the stream goes on from one subscription to the next. */
interface Continuing<Made extends Created> extends SubscriptionState<Made> {
  readonly onEnd: OnEnd;
  failures: number;
}

/**
 * Returns an Observable of the events that are its own, through as many subscriptions on the server, one after
 * the other, as it takes. It is for one subscriber.
 */
export function recreatingSubscription<Made extends Created>(
  internals: UcwaSession,
  kind: SubscriptionType<Made>,
  own: EventFilter,
  onEnd: OnEnd,
): Observable<UcwaEvent> {
  const stream: Continuing<Made> = {
    internals,
    kind,
    own,
    onEnd,
    failures: 0,
    application: undefined,
    refusal: undefined,
    self: undefined,
    madeAt: 0,
    ending: undefined,
  };
  return subscriptionLease(stream).pipe(
    // One operator for both ends, the error and the end by the server: ten thousand streams have one each.
    retry({
      delay: (error: unknown) =>
        error === SUBSCRIPTION_ENDED ? afterEnd(stream) : afterRefusal(stream, error),
    }),
    // The channel is let go of when the subscriber leaves, even while an answer is outstanding.
    finalize(() => close(own)),
  );
}

function afterRefusal<Made extends Created>(stream: Continuing<Made>, error: unknown): Observable<unknown> {
  const { internals, application, refusal } = stream;
  if (application === undefined || refusal?.error !== error) return throwError(() => error);
  if (application.isEnded) return of(undefined);
  return internals.hasMoved(error).pipe(
    // What cannot be told yet, the channel finds out.
    catchError(() => of(false)),
    mergeMap((hasMoved) => {
      if (!hasMoved) return afterAnswer(stream, application, error);
      application.markGone(error);
      return of(undefined);
    }),
  );
}

/** What is done where it was the application's own server that refused. */
function afterAnswer<Made extends Created>(
  stream: Continuing<Made>,
  application: LiveApplication,
  error: unknown,
): Observable<unknown> {
  const { internals, self } = stream;
  const decision = decide('channel', error, stream.failures + 1);
  if (decision === 'gone') {
    return probeApplication(application, internals).pipe(
      mergeMap((isThere) => (isThere ? throwError(() => error) : of(undefined))),
    );
  }
  // The first one is the caller's to try again; one that was there is to be there again.
  if (decision !== 'retry' || self === undefined) return throwError(() => error);
  stream.failures += 1;
  return waitFor(stream, internals.pause(stream.failures, error));
}

function afterEnd<Made extends Created>(stream: Continuing<Made>): Observable<unknown> {
  const { internals, kind, onEnd, ending, madeAt, self = '' } = stream;
  if (ending === 'doubtful') return waitFor(stream, removal(stream));
  if (ending === undefined || onEnd === 'complete') return EMPTY;
  if (onEnd === 'error') {
    const { pathname } = new URL(self);
    return throwError(() => new EndedError(kind.resource, pathname, HOW[ending]));
  }
  stream.failures = asyncScheduler.now() - madeAt < LASTS_AT_LEAST_MS ? stream.failures + 1 : 0;
  return waitFor(stream, stream.failures < 2 ? of(undefined) : internals.pause(stream.failures - 1));
}

/** The server may not take another one before it is removed. */
function removal<Made extends Created>({
  internals,
  kind,
  self,
}: SubscriptionState<Made>): Observable<unknown> {
  const { id } = releaseEntry(kind.resource, self);
  return internals.ledger.outcomes$.pipe(filter((outcome) => outcome.id === id));
}

/** Without the channel there is nothing to wait for. */
function waitFor<Made extends Created>(
  { own }: SubscriptionState<Made>,
  pause$: Observable<unknown>,
): Observable<unknown> {
  return merge(failing(own), pause$);
}
