import { asyncScheduler, defer, map, mergeMap, type Observable, share, switchMap, timer } from 'rxjs';
import { untilClosed } from '../../core/lifecycle/closing.ts';
import type { HttpRequest } from '../../core/transport/transport.ts';
import { linkOf, type LiveApplication } from '../application/liveApplication.ts';
import { LATE_MS } from '../application/pendingGets.ts';
import { sessionOf, type Ucwa, type UcwaSession } from '../session/session.ts';
import type { UcwaEvent } from '../protocol/events.ts';
import { requestJson } from '../protocol/request.ts';
import { resourceCodec } from '../protocol/resource.ts';
import { eventSource } from '../subscription/eventSource.ts';
import {
  reportLost,
  type Created,
  type SubscriptionType,
  withDuration,
} from '../subscription/subscriptionType.ts';
import { recreatingSubscription } from '../subscription/subscription.ts';

/** The subscription to the user's contacts and groups. */
interface ContactListSubscription extends Created {
  /** The link that starts and refreshes it, absolute. */
  readonly start: string;
  /** The link that stops it, absolute. */
  readonly stop: string;
  readonly onStopProgress: NonNullable<HttpRequest['onProgress']>;
}

const NAME = 'myContactsAndGroupsSubscription';
const START = 'startOrRefreshSubscriptionToContactsAndGroups';
const STOP = 'stopSubscriptionToContactsAndGroups';
/** The longest duration that the server accepts. */
const MINUTES = 30;

/**
 * Returns the type of the subscription to the user's contacts and groups, of which an application has one.
 *
 * A lost stop may arrive after the next start. Once it no longer can, the subscription is replaced: events
 * may be missing.
 *
 * @see [MS-UCWA] myContactsAndGroupsSubscription_ref
 */
function contactListSubscription({ transport }: UcwaSession): SubscriptionType<ContactListSubscription> {
  let lateUntil = 0;
  const onLost = (): void => {
    lateUntil = asyncScheduler.now() + LATE_MS;
  };
  const described = (application: LiveApplication): Observable<ContactListSubscription> =>
    defer(() => {
      const url = linkOf(application.people, NAME, application.self);
      return requestJson(transport, { method: 'GET', url }, resourceCodec, NAME);
    }).pipe(
      map(({ value, url }) => ({
        self: linkOf(value, 'self', url),
        start: linkOf(value, START, url),
        stop: linkOf(value, STOP, url),
        onStopProgress: reportLost(onLost),
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
    remove: ({ stop, onStopProgress }) => ({
      ...{ method: 'POST', url: stop, idempotent: true },
      onProgress: onStopProgress,
    }),
    update: () => {
      const lateMs = lateUntil - asyncScheduler.now();
      return lateMs > 0 ? timer(lateMs) : undefined;
    },
  };
}

/** Whether an event concerns the user's contacts or groups, or the subscription to them. */
function isOfContactsOrGroups({ link, in: container }: UcwaEvent): boolean {
  return [link.rel, container?.rel ?? ''].some((rel) => /group|^myContacts/i.test(rel));
}

/**
 * Returns an Observable of the events of the user's own contacts and groups.
 *
 * It starts the subscription on the server, refreshes it before it expires, and stops it when the last
 * subscriber leaves. An application has one such subscription, so all subscribers of a connection share it.
 *
 * - The events report contacts that enter and leave the lists, groups, and their members. {@link presence}
 *   reports availability.
 * - If the server has lost the subscription, it is started again, and a `gap` event is emitted.
 * - It errors if the server refuses the subscription, and with the error that ends the event channel.
 *
 * @see [MS-UCWA] startOrRefreshSubscriptionToContactsAndGroups_ref
 * @see [MS-UCWA] stopSubscriptionToContactsAndGroups_ref
 *
 * @example
 * ```ts
 * import { bearer } from 'rxchange';
 * import { connectUcwa, myContactsAndGroups } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const server = ucwaSimulator();
 * const ucwa = connectUcwa({ server: server.url, auth: bearer('secret'), transport: server.transport });
 * const watching = myContactsAndGroups(ucwa).subscribe(({ type, link }) => console.log(type, link.rel));
 * server.emit({ type: 'added', link: { rel: 'group', href: '/groups/7' }, in: { rel: 'myGroups', href: '/groups' } });
 * // prints: added group
 * watching.unsubscribe();
 * const { outcomes } = await ucwa.drain();
 * console.log(outcomes.map(({ resource, outcome }) => `${resource} ${outcome}`));
 * // prints: [ 'myContactsAndGroupsSubscription Released', 'application Released' ]
 * ```
 */
export function myContactsAndGroups(ucwa: Ucwa): Observable<UcwaEvent> {
  const session = sessionOf(ucwa);
  return session.shared(contactListEvents, session);
}

function contactListEvents(session: UcwaSession): Observable<UcwaEvent> {
  // To the server the next subscription is the same: it is started after the last one has been stopped.
  const application$ = session.contactListMutex$.pipe(switchMap(() => session.application$));
  const type = contactListSubscription(session);
  return defer(() =>
    recreatingSubscription({
      ...{ session: { ...session, application$ }, type, onLost: 'recreate' },
      source: eventSource(session, { type: 'matching', matches: isOfContactsOrGroups }),
      select: ({ event }) => event,
    }),
  ).pipe(share(), untilClosed(session.ledger, 'myContactsAndGroups'));
}
