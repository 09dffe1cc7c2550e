import {
  asyncScheduler,
  catchError,
  defer,
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
import { releaseEntry } from '../../core/lifecycle/releaseOutcome.ts';
import { SuspendedError } from '../../core/lifecycle/suspension.ts';
import { type LiveApplication, probeApplication } from '../application/liveApplication.ts';
import { failureOf } from '../channel/eventBuffer.ts';
import { EndedError } from '../protocol/errors.ts';
import { decide } from '../protocol/failures.ts';
import type { UcwaSession } from '../session/session.ts';
import { close, type EventSource } from './eventSource.ts';
import { subscriptionLease } from './lease.ts';
import {
  afterEnding,
  afterRefusal,
  INITIAL,
  isReplacement,
  type RecreationState,
  SubscriptionEnded,
} from './recreation.ts';
import type { Created, StreamConfig } from './subscriptionType.ts';

/** A stream between its subscriptions. */
interface Stream<Made extends Created, Value> {
  readonly config: StreamConfig<Made, Value>;
  state: RecreationState;
  /** The last creation that failed. */
  refusal: { readonly error: unknown; readonly application: LiveApplication } | undefined;
}

/**
 * Returns an Observable of the signals of a subscription, which is re-created as `onLost` says.
 *
 * It is for one subscriber.
 */
export function recreatingSubscription<Made extends Created, Value>(
  config: StreamConfig<Made, Value>,
): Observable<Value> {
  const stream: Stream<Made, Value> = { config, state: INITIAL, refusal: undefined };
  return defer(() =>
    subscriptionLease(config, isReplacement(stream.state), (error, application) => {
      stream.refusal = { error, application };
    }),
  ).pipe(
    // One operator for the endings and the errors: ten thousand streams have one each.
    retry({
      delay: (error: unknown) => {
        config.source.report('behind');
        return error instanceof SubscriptionEnded ? ended(stream, error) : failed(stream, error);
      },
    }),
    // The channel is released when the subscriber leaves, even if a response is outstanding.
    finalize(() => close(config.source)),
  );
}

function ended<Made extends Created, Value>(
  stream: Stream<Made, Value>,
  { ending, self, createdAt }: SubscriptionEnded,
): Observable<unknown> {
  const { session, type, source, onLost } = stream.config;
  const lifetimeMs = asyncScheduler.now() - createdAt;
  const [state, step] = afterEnding(stream.state, ending, lifetimeMs, onLost);
  stream.state = state;
  if (step.type === 'complete') return EMPTY;
  if (step.type === 'fail') {
    const { pathname } = new URL(self);
    return throwError(() => new EndedError(type.resource, pathname, step.because));
  }
  return orFailure(
    source,
    step.type === 'awaitRemoval'
      ? removal(session, type.resource, self)
      : step.afterFailures === 0
        ? of(undefined)
        : session.pause(step.afterFailures),
  );
}

function failed<Made extends Created, Value>(
  stream: Stream<Made, Value>,
  error: unknown,
): Observable<unknown> {
  const { session, source } = stream.config;
  const { refusal } = stream;
  if (error instanceof SuspendedError) {
    stream.state = { ...stream.state, ending: 'replaced' };
    return of(undefined);
  }
  if (refusal?.error !== error || refusal === undefined) return throwError(() => error);
  const { application } = refusal;
  if (application.isEnded) return of(undefined);
  return session.hasMoved(error).pipe(
    // If discovery fails now, the channel detects a move later.
    catchError(() => of(false)),
    mergeMap((hasMoved) => {
      if (hasMoved) {
        application.markGone(error);
        return of(undefined);
      }
      const decision = decide('channel', error, stream.state.failures + 1);
      if (decision === 'gone') {
        return probeApplication(application, session).pipe(
          mergeMap((isThere) => (isThere ? throwError(() => error) : of(undefined))),
        );
      }
      const next = afterRefusal(stream.state, decision);
      if (next === undefined) return throwError(() => error);
      stream.state = next;
      return orFailure(source, session.pause(next.failures, error));
    }),
  );
}

/** Returns an Observable that emits when a subscription was removed: the server may not accept two. */
function removal({ ledger }: UcwaSession, resource: string, self: string): Observable<unknown> {
  const { id } = releaseEntry(resource, self);
  return ledger.outcomes$.pipe(filter((outcome) => outcome.id === id));
}

/**
 * Returns an Observable that mirrors a wait, and errors when the channel does: then there is nothing to wait
 * for.
 */
function orFailure({ buffer }: EventSource, wait$: Observable<unknown>): Observable<unknown> {
  return merge(failureOf(buffer), wait$);
}
