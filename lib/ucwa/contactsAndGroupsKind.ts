import { defer, map, mergeMap, type Observable, tap } from 'rxjs';
import { type LiveApplication, linkOf } from './liveApplication.ts';
import type { UcwaInternals } from './connect.ts';
import type { UcwaEvent } from './events.ts';
import type { LateStops } from './lateStops.ts';
import type { OwnEvents } from './ownEvents.ts';
import { withDuration } from './presenceSubscription.ts';
import { requestJson } from './request.ts';
import type { Created, SubscriptionKind } from './subscriptionKind.ts';
import { resourceCodec } from './wire.ts';

/** The subscription to the user's contacts and groups. */
interface ContactsAndGroupsSubscription extends Created {
  /** Where it is started and refreshed, absolute. */
  readonly start: string;
  /** Where it is stopped, absolute. */
  readonly stop: string;
}

const NAME = 'myContactsAndGroupsSubscription';
const START = 'startOrRefreshSubscriptionToContactsAndGroups';
const STOP = 'stopSubscriptionToContactsAndGroups';
/** The longest that there is. */
const MINUTES = 30;

/**
 * The subscription to the user's contacts and groups, of which an application has one.
 *
 * A stop that was lost may arrive after the next start: then it is started again. [myContactsAndGroupsSubscription_ref]
 */
export function contactsAndGroupsKind(
  { transport }: UcwaInternals,
  own: OwnEvents,
  stops: LateStops,
): SubscriptionKind<ContactsAndGroupsSubscription> {
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
        tap(stops.started),
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
    remove: ({ stop }) => ({ method: 'POST', url: stop, idempotent: true, onProgress: stops.noteStop }),
    update: () => stops.startAgain(() => own.doubted?.('resync')),
  };
}

/** Whether an event is one of the user's contacts or groups, or of the subscription to them. */
export function isOfContactsOrGroups({ link, in: container }: UcwaEvent): boolean {
  return [link.rel, container?.rel ?? ''].some((rel) => /group|^myContacts/i.test(rel));
}
