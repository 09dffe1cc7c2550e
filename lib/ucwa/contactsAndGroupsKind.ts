import { asyncScheduler, defer, map, mergeMap, type Observable, throwError, timer } from 'rxjs';
import type { HttpRequest } from '../core/transport.ts';
import { type LiveApplication, linkOf } from './liveApplication.ts';
import type { UcwaInternals } from './connect.ts';
import type { UcwaEvent } from './events.ts';
import { ifLost } from './lostRequests.ts';
import { LATE_MS } from './pendingGets.ts';
import { withDuration } from './presenceSubscription.ts';
import { requestJson } from './request.ts';
import { ENDED } from './stream.ts';
import type { Created, SubscriptionKind } from './subscriptionKind.ts';
import { resourceCodec } from './wire.ts';

/** The subscription to the user's contacts and groups. */
interface ContactsAndGroupsSubscription extends Created {
  /** Where it is started and refreshed, absolute. */
  readonly start: string;
  /** Where it is stopped, absolute. */
  readonly stop: string;
  readonly onStop: NonNullable<HttpRequest['onProgress']>;
}

const NAME = 'myContactsAndGroupsSubscription';
const START = 'startOrRefreshSubscriptionToContactsAndGroups';
const STOP = 'stopSubscriptionToContactsAndGroups';
/** The longest that there is. */
const MINUTES = 30;

/**
 * The subscription to the user's contacts and groups, of which an application has one.
 *
 * A stop that was lost can arrive after the next start. Once it no longer can, the subscription is replaced: events may
 * have been lost. [myContactsAndGroupsSubscription_ref]
 */
export function contactsAndGroupsKind({
  transport,
}: UcwaInternals): SubscriptionKind<ContactsAndGroupsSubscription> {
  let lateUntil = 0;
  const onLost = (): void => {
    lateUntil = asyncScheduler.now() + LATE_MS;
  };
  const described = (application: LiveApplication): Observable<ContactsAndGroupsSubscription> =>
    defer(() =>
      requestJson(
        transport,
        { method: 'GET', url: linkOf(application.people, NAME, application.self) },
        resourceCodec,
        NAME,
      ),
    ).pipe(
      map(({ value, url }) => ({
        self: linkOf(value, 'self', url),
        start: linkOf(value, START, url),
        stop: linkOf(value, STOP, url),
        onStop: ifLost(onLost),
        memberships: undefined,
        addTo: undefined,
      })),
    );

  return {
    resource: NAME,
    durationMinutes: MINUTES,
    isAnnounced: false,
    create: (application, onProgress) =>
      described(application).pipe(
        mergeMap((made) =>
          requestJson(
            transport,
            { method: 'POST', url: withDuration(made.start, MINUTES), idempotent: true, onProgress },
            resourceCodec,
            NAME,
          ).pipe(map(() => made)),
        ),
      ),
    extend: ({ start }) => ({ method: 'POST', url: withDuration(start, MINUTES) }),
    remove: ({ stop, onStop }) => ({ method: 'POST', url: stop, idempotent: true, onProgress: onStop }),
    update: () => {
      const lateMs = lateUntil - asyncScheduler.now();
      return lateMs > 0 ? timer(lateMs).pipe(mergeMap(() => throwError(() => ENDED))) : undefined;
    },
  };
}

/** Whether an event is one of the user's contacts or groups, or of the subscription to them. */
export function isOfContactsOrGroups({ link, in: container }: UcwaEvent): boolean {
  return [link.rel, container?.rel ?? ''].some((rel) => /group|^myContacts/i.test(rel));
}
