import { defer, type Observable, share, switchMap } from 'rxjs';
import { untilClosed } from '../core/untilClosed.ts';
import { internalsOf, type Ucwa, type UcwaInternals } from './connect.ts';
import { contactsAndGroupsKind, isOfContactsOrGroups } from './contactsAndGroupsKind.ts';
import type { UcwaEvent } from './events.ts';
import { ownEvents } from './ownEvents.ts';
import { subscriptionStream } from './subscriptionStream.ts';

/** By the internals: the connection itself can be a Proxy. */
const SHARED = new WeakMap<UcwaInternals, Observable<UcwaEvent>>();

/**
 * Returns an Observable that starts the subscription to the user's own contacts and groups, emits their events
 * and its own, refreshes it before it expires, and stops it when the last subscriber has left.
 *
 * The events are those of contacts that come into and leave the lists, and of groups and who is in them; not
 * those of presence, for which there is {@link presence}. An application has one such subscription, so all
 * subscribers of one connection share it. It is started again where the server has lost it, with a `reset` event
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
  const internals = internalsOf(ucwa);
  const known = SHARED.get(internals);
  if (known !== undefined) return known;
  // The next one is started when the stop of the one before is through: they are the same to the server.
  const application$ = internals.contactsTurn$.pipe(switchMap(() => internals.application$));
  const kind = contactsAndGroupsKind(internals);
  const events$ = defer(() => {
    const own = ownEvents(internals, { kind: 'matching', matches: isOfContactsOrGroups });
    return subscriptionStream({ ...internals, application$ }, kind, own, 'recreate');
  }).pipe(share(), untilClosed(internals.ledger, 'myContactsAndGroups'));
  SHARED.set(internals, events$);
  return events$;
}
