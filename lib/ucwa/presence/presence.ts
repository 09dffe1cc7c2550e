import { defer, EMPTY, isObservable, map, type Observable } from 'rxjs';
import { untilClosed } from '../../core/lifecycle/closing.ts';
import { invalidOption, objectOption } from '../../core/options.ts';
import { sessionOf, type Ucwa, type UcwaSession } from '../session/session.ts';
import type { UcwaEvent } from '../protocol/events.ts';
import { type Interest, eventFilter, type EventFilter } from '../subscription/eventFilter.ts';
import {
  checkLifetime,
  type Lifetime,
  LIFETIME_NAMES,
  type LifetimeOptions,
  shared,
} from '../subscription/options.ts';
import { recreatingSubscription } from '../subscription/subscription.ts';
import { contactsSubscription } from './contactsSubscription.ts';
import { staticContacts, liveContacts, type WantedContacts } from './watchedContacts.ts';

/** The contacts of a presence stream, as they are watched. */
export interface WatchedContacts {
  readonly wanted: WantedContacts;
  readonly own: EventFilter;
  /** Creates the subscription, keeps it, and emits its events. It is for one subscriber. */
  readonly events$: Observable<UcwaEvent>;
}

const NAMED: Interest = { kind: 'named' };

/** URIs without spaces, with something on both sides of the at sign. */
const SIP_URI = /^sips?:[^\s@]+@[^\s@]+$/i;

/**
 * Returns an Observable that mirrors what `follow` makes of the presence of these contacts, for each subscriber
 * with a subscription of its own. It throws a TypeError for URIs that cannot be used; where they come later, it
 * errors with it.
 */
export function presenceStream<Value>(
  internals: UcwaSession,
  uris: readonly string[] | Observable<readonly string[]>,
  lifetime: Lifetime,
  follow: (watched: WatchedContacts) => Observable<Value>,
): Observable<Value> {
  const watch = (wanted: WantedContacts): Observable<Value> => {
    const own = eventFilter(internals, NAMED);
    const kind = contactsSubscription(internals, wanted, own, lifetime.durationMinutes);
    const events$ = recreatingSubscription(internals, kind, own, lifetime.onEnd);
    return follow({ wanted, own, events$ });
  };
  const lists$ = isObservable(uris) ? uris.pipe(map(checkUris)) : undefined;
  if (lists$ !== undefined) return defer(() => liveContacts(lists$, watch));
  const fixed = checkUris(uris);
  return fixed.length === 0 ? EMPTY : defer(() => watch(staticContacts(fixed)));
}

function checkUris(uris: unknown): readonly string[] {
  if (!Array.isArray(uris)) throw invalidOption('uris', uris, 'a list of sip: URIs');
  return uris.map((uri: unknown, index) => {
    if (typeof uri === 'string' && SIP_URI.test(uri)) return uri;
    throw invalidOption(`uris[${index}]`, uri, "a sip: URI such as 'sip:sara@contoso.com'");
  });
}

/** Whose presence to watch, and for how long. */
export interface PresenceOptions extends LifetimeOptions {
  /**
   * The contacts, as `sip:` URIs, or an Observable of such lists, of which only the difference from the list before
   * is sent. For an empty list nothing is sent: the Observable completes, or waits for the next list.
   */
  readonly uris: readonly string[] | Observable<readonly string[]>;
}

/**
 * Returns an Observable that creates a presence subscription on the server, emits the events of its contacts
 * and of itself, and removes it from the server when it is unsubscribed from, however that comes.
 *
 * - It listens to the event channel before it asks for the subscription, so nothing is missed. Most events
 *   carry a link only: `ucwa.get(event.link)` brings what has changed.
 * - Each subscriber has a subscription of its own on the server, unless `graceSeconds` is given.
 * - The subscription is extended before it expires, and made again where the server has ended it, where it has
 *   lost its state, and where the application is gone and made again. A `gap` event stands at that place:
 *   what was known of the contacts is no longer sure, and what follows brings it anew. After a `gap` with the
 *   reason `resync` the subscription is still there, but events of it can have been lost.
 * - It is also re-created, whatever `onEnd` says, if `uris` takes back a change that got no response less than a minute
 *   before: that request could still arrive.
 * - It errors when the subscription is refused, with what ends the event channel, and when the application is
 *   gone and cannot be made again. One that was there is made again with patience: what passes is waited for.
 *   What the removal meets never comes here: it stands in `ucwa.releases`, with `detail.deletedEvent`,
 *   which is `seen` when the server's `deleted` event came, `notSeen` when it did not come in time, and
 *   `notWatched` when nobody else kept the event channel open.
 *
 * It throws a TypeError that names the option for one that cannot be used.
 * [SubscribeToThePresenceOfSelectedContacts, ExtendAPresenceSubscription, DeleteAPresenceSubscription]
 *
 * @example
 * ```ts
 * import { connect, presence } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const server = ucwaSimulator({ mediumSeconds: 0 });
 * const ucwa = connect({ applications: server.url, token: 'secret', transport: server.transport });
 *
 * const watching = presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe(({ type, link }) =>
 *   console.log(type, link.rel),
 * );
 * // prints: added contact
 * // prints: added presenceSubscription
 * // prints: updated contactPresence
 * watching.unsubscribe();
 *
 * const { outcomes } = await ucwa.drain();
 * console.log(outcomes.map(({ resource, outcome }) => `${resource} ${outcome}`));
 * // prints: [ 'presenceSubscription Released', 'application Released' ]
 * ```
 */
export function presence(ucwa: Ucwa, options: PresenceOptions): Observable<UcwaEvent> {
  const internals = sessionOf(ucwa);
  const { uris } = objectOption('options', options, { ...LIFETIME_NAMES, uris: 1 });
  const lifetime = checkLifetime(options);
  return presenceStream(internals, uris, lifetime, ({ events$ }) => events$).pipe(
    shared(internals, lifetime),
    untilClosed(internals.ledger, 'presence'),
  );
}
