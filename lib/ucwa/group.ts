import { defer, type Observable } from 'rxjs';
import { invalidOption, objectOption } from '../core/options.ts';
import { untilClosed } from '../core/untilClosed.ts';
import { internalsOf, type Ucwa } from './connect.ts';
import type { UcwaEvent } from './events.ts';
import { groupKind, type GroupSelection } from './groupKind.ts';
import { ownEvents } from './ownEvents.ts';
import { checkLifetime, LIFETIME_NAMES, type LifetimeOptions, shared } from './subscriptionOptions.ts';
import { subscriptionStream } from './subscriptionStream.ts';

/**
 * Returns an Observable that subscribes to the presence of all who are in a group of the user's at that time,
 * emits the events of these contacts and of the subscription, and removes it from the server when it is
 * unsubscribed from.
 *
 * It lives as {@link presence} does: it is extended, and made again where the server has ended or lost it. The
 * group is looked up anew each time, so a group that is not there is an error then. The group is given by its
 * `id` or its `name`; the resource of the group has both. It throws a TypeError that names the option for one
 * that cannot be used. [SubscribeToThePresenceOfAGroupOfContacts]
 *
 * @example
 * ```ts
 * import { connect, groupPresence } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const server = ucwaSimulator({ mediumSeconds: 0, groups: { Family: ['sip:sara@contoso.com'] } });
 * const ucwa = connect({ applications: server.url, token: 'secret', transport: server.transport });
 * const watching = groupPresence(ucwa, { name: 'Family' }).subscribe(({ type, link }) =>
 *   console.log(type, link.rel),
 * );
 * // prints: added contact
 * // prints: added presenceSubscription
 * // prints: updated contactPresence
 * watching.unsubscribe();
 * await ucwa.drain();
 * ```
 */
export function groupPresence(
  ucwa: Ucwa,
  group: GroupSelection,
  options: LifetimeOptions = {},
): Observable<UcwaEvent> {
  const internals = internalsOf(ucwa);
  const lifetime = checkLifetime(objectOption('options', options, LIFETIME_NAMES));
  const { id, name } = objectOption('group', group);
  if (!isText(id ?? name)) throw invalidOption('group', group, 'a group with an id or a name');
  const own$ = defer(() => {
    const kind = groupKind(internals, { id, name }, lifetime.durationMinutes);
    return subscriptionStream(internals, kind, ownEvents(internals, { kind: 'members' }), lifetime.onEnd);
  });
  return own$.pipe(shared(internals, lifetime), untilClosed(internals.ledger, 'groupPresence'));
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
