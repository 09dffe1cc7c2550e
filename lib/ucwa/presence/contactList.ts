import {
  asyncScheduler,
  defer,
  map,
  mergeMap,
  type Observable,
  share,
  switchMap,
  throwError,
  timer,
} from 'rxjs';
import { untilClosed } from '../../core/lifecycle/closing.ts';
import type { HttpRequest } from '../../core/transport/transport.ts';
import { linkOf, type LiveApplication } from '../application/liveApplication.ts';
import { LATE_MS } from '../application/pendingGets.ts';
import { sessionOf, type Ucwa, type UcwaSession } from '../session/session.ts';
import type { UcwaEvent } from '../protocol/events.ts';
import { requestJson } from '../protocol/request.ts';
import { resourceCodec } from '../protocol/resource.ts';
import { eventFilter } from '../subscription/eventFilter.ts';
import { ifLost } from '../subscription/lostRequests.ts';
import { SUBSCRIPTION_ENDED } from '../subscription/state.ts';
import { recreatingSubscription } from '../subscription/subscription.ts';
import { type Created, type SubscriptionType, withDuration } from '../subscription/subscriptionType.ts';

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
function contactListSubscription({
  transport,
}: UcwaSession): SubscriptionType<ContactsAndGroupsSubscription> {
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
      return lateMs > 0
        ? timer(lateMs).pipe(mergeMap(() => throwError(() => SUBSCRIPTION_ENDED)))
        : undefined;
    },
  };
}

/** Whether an event is one of the user's contacts or groups, or of the subscription to them. */
function isOfContactsOrGroups({ link, in: container }: UcwaEvent): boolean {
  return [link.rel, container?.rel ?? ''].some((rel) => /group|^myContacts/i.test(rel));
}

/** By the internals: the connection itself can be a Proxy. */
const SHARED = new WeakMap<UcwaSession, Observable<UcwaEvent>>();

/**
 * Returns an Observable that starts the subscription to the user's own contacts and groups, emits their events
 * and its own, refreshes it before it expires, and stops it when the last subscriber has left.
 *
 * The events are those of contacts that come into and leave the lists, and of groups and who is in them; not
 * those of presence, for which there is {@link presence}. An application has one such subscription, so all
 * subscribers of one connection share it. It is started again where the server has lost it, with a `gap` event
 * at that place. It errors when it is refused, and with what ends the event channel.
 * [startOrRefreshSubscriptionToContactsAndGroups_ref, stopSubscriptionToContactsAndGroups_ref]
 *
 * @example
 * ```ts
 * import { connect, myContactsAndGroups } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const server = ucwaSimulator();
 * const ucwa = connect({ applications: server.url, token: 'secret', transport: server.transport });
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
  const internals = sessionOf(ucwa);
  const known = SHARED.get(internals);
  if (known !== undefined) return known;
  // The next one is started when the stop of the one before is through: they are the same to the server.
  const application$ = internals.contactListMutex$.pipe(switchMap(() => internals.application$));
  const kind = contactListSubscription(internals);
  const events$ = defer(() => {
    const own = eventFilter(internals, { kind: 'matching', matches: isOfContactsOrGroups });
    return recreatingSubscription({ ...internals, application$ }, kind, own, 'recreate');
  }).pipe(share(), untilClosed(internals.ledger, 'myContactsAndGroups'));
  SHARED.set(internals, events$);
  return events$;
}
