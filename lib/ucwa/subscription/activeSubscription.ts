import { catchError, EMPTY, Observable, Subscription, tap, throwError } from 'rxjs';
import type { Lease } from '../../core/lifecycle/remoteResource.ts';
import type { LiveApplication } from '../application/liveApplication.ts';
import { probeApplication } from '../application/probe.ts';
import type { KeyedEvent } from '../channel/eventRouter.ts';
import type { UcwaSession } from '../session/session.ts';
import { gapReasonOf, recreatedEvent, type UcwaEvent } from '../protocol/events.ts';
import { decide } from '../protocol/failures.ts';
import { hrefKey } from '../protocol/href.ts';
import { retryTransient } from '../transport/backoff.ts';
import { consume } from './eventBuffer.ts';
import { identify, isAbout, isOwn, isUnidentified, type EventFilter } from './eventFilter.ts';
import { memberships } from './memberships.ts';
import { renewal } from './renewal.ts';
import { SUBSCRIPTION_ENDED, type Ending, expiryOf, type SubscriptionState } from './state.ts';
import type { Created } from './subscriptionType.ts';

/**
 * Returns an Observable of the events of a subscription that was made, and keeps it there. It errors with
 * {@link SUBSCRIPTION_ENDED} where the server has ended it.
 *
 * It is one Observable, and not a chain of ten: of what is live there are thousands.
 */
export function activeSubscription<Made extends Created>(
  stream: SubscriptionState<Made>,
  made: Made,
  lease: Lease,
  application: LiveApplication,
): Observable<UcwaEvent> {
  const { internals, kind, own } = stream;
  return new Observable((subscriber) => {
    const isMadeAgain = stream.ending !== undefined && stream.ending !== 'lost';
    let isAnnounced = false;
    let updating = Subscription.EMPTY;
    stream.ending = undefined;

    const tell = (filed: KeyedEvent): void => {
      if (!isOwn(own, filed)) return;
      if (isAbout(own, filed, 'added')) isAnnounced = true;
      stream.ending = endingBy(filed, own, lease, application, isAnnounced);
      subscriber.next(filed.event);
      if (stream.ending !== undefined) subscriber.error(SUBSCRIPTION_ENDED);
    };

    const take = (filed: KeyedEvent): Observable<unknown> | undefined => {
      const { memberships: url } = made;
      if (url !== undefined && isUnidentified(own, filed)) {
        return identified(internals, own, made, url).pipe(tap(() => tell(filed)));
      }
      tell(filed);
      return undefined;
    };

    const failed = (error: unknown): void => {
      // With the application went everything on it.
      if (application.isGone) lease.endedByServer();
      subscriber.error(error);
    };

    const notKept = (error: unknown): void => {
      updating.unsubscribe();
      if (error === SUBSCRIPTION_ENDED) stream.ending = 'doubtful';
      if (decide('release', error, 1) !== 'gone') {
        subscriber.error(error);
        return;
      }
      subscriber.add(
        probeApplication(application, internals).subscribe({
          next: (isThere) => {
            // With the application went everything on it: the channel tells of that, at its place.
            if (!isThere) return;
            stream.ending = 'gone';
            lease.endedByServer();
            subscriber.error(SUBSCRIPTION_ENDED);
          },
          error: (cause: unknown) => subscriber.error(cause),
        }),
      );
    };

    renewal(internals, {
      ...{ kind, made, own },
      expiresAt: expiryOf(stream),
      onExtended: lease.extendedTo,
      failed: notKept,
    }).subscribe(subscriber);
    updating = kind.update?.(made)?.subscribe({ error: notKept }) ?? updating;
    subscriber.add(updating);
    if (isMadeAgain) {
      subscriber.next(recreatedEvent({ rel: kind.resource, href: made.self }, application.self));
    }
    consume(own.inbox, { take, failed }).subscribe(subscriber);
  });
}

/** How the subscription ends with an event, if it does. */
function endingBy(
  filed: KeyedEvent,
  own: EventFilter,
  lease: Lease,
  application: LiveApplication,
  isAnnounced: boolean,
): Ending | undefined {
  const loss = gapReasonOf(filed.event);
  if (isAbout(own, filed, 'deleted')) {
    lease.endedByServer({ deletedEvent: 'seen' });
    return 'deleted';
  }
  if (loss === 'recreated' && application.isEnded) {
    // On one that was left to another client it is still there: it is removed.
    if (application.isGone) lease.endedByServer();
    return 'lost';
  }
  if (loss !== 'resume') return undefined;
  // What was told of before the loss is gone. What was not may have been created after it: it is removed.
  if (isAnnounced) lease.endedByServer();
  return 'lost';
}

/** Where a contact's href does not say who it is, the memberships tell which contacts are these. */
function identified(
  { transport, pause }: UcwaSession,
  own: EventFilter,
  { self }: Created,
  url: string,
): Observable<unknown> {
  return memberships(transport, url, hrefKey(self)).pipe(
    retryTransient('channel', pause),
    // Of a subscription that is gone nothing is known any more: what tells of that comes next.
    catchError((error: unknown) =>
      decide('channel', error, 1) === 'gone' ? EMPTY : throwError(() => error),
    ),
    tap((found) => identify(own, found)),
  );
}
