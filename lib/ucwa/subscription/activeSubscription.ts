import { catchError, EMPTY, Observable, Subscription, tap, throwError } from 'rxjs';
import type { Lease } from '../../core/lifecycle/remoteResource.ts';
import type { LiveApplication } from '../application/liveApplication.ts';
import { probeApplication } from '../application/probe.ts';
import { consume } from '../channel/eventBuffer.ts';
import type { KeyedEvent } from '../channel/eventRouter.ts';
import { type GapReason, gapReasonOf, recreatedEvent } from '../protocol/events.ts';
import { decide } from '../protocol/failures.ts';
import { hrefKey } from '../protocol/href.ts';
import type { UcwaSession } from '../session/session.ts';
import { retryTransient } from '../transport/backoff.ts';
import { classify, type EventRole, identified } from './eventFilter.ts';
import { type EventSource, setFilter } from './eventSource.ts';
import { memberships } from './memberships.ts';
import type { Ending, SubscriptionEnded } from './recreation.ts';
import { renewal, type RenewalTrigger } from './renewal.ts';
import type { Created, StreamConfig, SubscriptionSignal } from './subscriptionType.ts';

/** A subscription that exists on the server. */
interface ActiveSubscription<Made extends Created> {
  readonly made: Made;
  readonly lease: Lease;
  readonly application: LiveApplication;
  readonly expiresAt: number;
  readonly isReplacement: boolean;
  /** Returns the error with which the subscription ends. */
  readonly ended: (ending: Ending) => SubscriptionEnded;
}

/**
 * Returns an Observable of the signals of a subscription that was created, which it renews and updates.
 *
 * It is one Observable instead of a chain of operators: thousands of subscriptions are active at a time.
 */
export function activeSubscription<Made extends Created, Value>(
  { session, type, source, select }: StreamConfig<Made, Value>,
  { made, lease, application, expiresAt, isReplacement, ended }: ActiveSubscription<Made>,
): Observable<Value> {
  return new Observable((subscriber) => {
    let isAnnounced = false;
    let updating = Subscription.EMPTY;
    let renewNow: ((trigger: RenewalTrigger) => void) | undefined;

    const emit = (signal: SubscriptionSignal<Made>): void => {
      const value = select(signal);
      if (value !== undefined) subscriber.next(value);
    };

    const process = (keyed: KeyedEvent, role: EventRole): void => {
      if (role === 'foreign') return;
      const reason = gapReasonOf(keyed.event);
      if (role === 'created') isAnnounced = true;
      if (role === 'deleted') lease.endedByServer({ deletedEvent: 'seen' });
      const loss = lossBy(reason, application, isAnnounced);
      if (loss?.isRemoved === true) lease.endedByServer();
      emit(keyed);
      if (role === 'deleted') subscriber.error(ended('deleted'));
      else if (loss !== undefined) subscriber.error(ended('lost'));
      else if (subscriber.closed) return;
      else if (role === 'expiring') renewNow?.('expiring');
      else if (reason === 'resync') renewNow?.('resync');
    };

    const take = (keyed: KeyedEvent): Observable<unknown> | undefined => {
      const role = classify(source.filter, keyed);
      if (role !== 'unidentified') process(keyed, role);
      else if (made.memberships !== undefined) {
        return identification(session, source, made.self, made.memberships).pipe(
          tap(() => process(keyed, classify(source.filter, keyed))),
        );
      }
      return undefined;
    };

    const failed = (error: unknown): void => {
      // Everything on an application is gone together with it.
      if (application.isGone) lease.endedByServer();
      subscriber.error(error);
    };

    const onRefused = (error: unknown): void => {
      updating.unsubscribe();
      if (decide('release', error, 1) !== 'gone') {
        subscriber.error(error);
        return;
      }
      subscriber.add(
        probeApplication(application, session).subscribe({
          next: (isThere) => {
            // If the application is gone, the channel reports it at the right position.
            if (!isThere) return;
            lease.endedByServer();
            subscriber.error(ended('gone'));
          },
          error: (cause: unknown) => subscriber.error(cause),
        }),
      );
    };

    emit({ made, application });
    source.report('current');
    updating =
      type.update?.(made)?.subscribe({ next: () => subscriber.error(ended('replaced')), error: onRefused }) ??
      updating;
    subscriber.add(updating);
    if (isReplacement) {
      emit({ event: recreatedEvent({ rel: type.resource, href: made.self }, application.self), keys: [] });
    }
    consume(source.buffer, { take, failed }).subscribe(subscriber);
    // Gaps that were buffered are older than the subscription: they are no reason to renew it.
    if (!subscriber.closed) {
      renewNow = renewal(
        { session, type, made, expiresAt, onExtended: lease.extendedTo, onRefused },
        subscriber,
      );
    }
  });
}

/** Returns whether a gap ends the subscription, and whether it is certain that the server has removed it. */
function lossBy(
  reason: GapReason | undefined,
  { isEnded, isGone }: LiveApplication,
  isAnnounced: boolean,
): { readonly isRemoved: boolean } | undefined {
  // An application that was handed over to another client still has the subscription: it has to be removed.
  if (reason === 'recreated') return isEnded ? { isRemoved: isGone } : undefined;
  // A subscription that was announced before the gap is gone. Another one may have been created after the
  // loss.
  return reason === 'resume' ? { isRemoved: isAnnounced } : undefined;
}

/** Returns an Observable that reads which contacts belong to the subscription. */
function identification(
  { transport, pause }: UcwaSession,
  source: EventSource,
  self: string,
  url: string,
): Observable<unknown> {
  return memberships(transport, url, hrefKey(self)).pipe(
    retryTransient('channel', pause),
    // The event that reports the end of the subscription follows.
    catchError((error: unknown) =>
      decide('channel', error, 1) === 'gone' ? EMPTY : throwError(() => error),
    ),
    tap((found) => setFilter(source, identified(source.filter, found))),
  );
}
