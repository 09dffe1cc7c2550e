import { defer, EMPTY, isObservable, map, type Observable } from 'rxjs';
import { untilClosed } from '../../core/lifecycle/closing.ts';
import { invalidOption, objectOption } from '../../core/options.ts';
import type { UcwaEvent } from '../protocol/events.ts';
import { sessionOf, type Ucwa, type UcwaSession } from '../session/session.ts';
import type { Interest } from '../subscription/eventFilter.ts';
import { type EventSource, eventSource } from '../subscription/eventSource.ts';
import {
  lifetimeOf,
  type Lifetime,
  LIFETIME_RULES,
  type LifetimeOptions,
  shared,
} from '../subscription/options.ts';
import { recreatingSubscription } from '../subscription/subscription.ts';
import type { SubscriptionSignal } from '../subscription/subscriptionType.ts';
import { contactsSubscription } from './contactsSubscription.ts';
import {
  type ContactsSubscription,
  liveContacts,
  staticContacts,
  type WatchedContacts,
} from './watchedContacts.ts';

/** The presence subscriptions of one stream. */
export interface PresenceSignals {
  readonly contacts: WatchedContacts;
  readonly source: EventSource;
  /** Returns an Observable, for one subscriber, of the values that `select` returns for signals. */
  readonly signals: <Value>(
    select: (signal: SubscriptionSignal<ContactsSubscription>) => Value | undefined,
  ) => Observable<Value>;
}

const NAMED: Interest = { type: 'named' };

/** URIs without spaces, with something on both sides of the at sign. */
const SIP_URI = /^sips?:[^\s@]+@[^\s@]+$/i;

/**
 * Returns an Observable that mirrors `follow`, with a subscription of its own for each subscriber.
 *
 * It throws a TypeError for invalid URIs. If a later list contains such a URI, it errors with the TypeError.
 */
export function presenceStream<Value>(
  session: UcwaSession,
  uris: readonly string[] | Observable<readonly string[]>,
  { durationMinutes, onLost }: Lifetime,
  follow: (signals: PresenceSignals) => Observable<Value>,
): Observable<Value> {
  const watch = (contacts: WatchedContacts): Observable<Value> => {
    const source = eventSource(session, NAMED);
    const type = contactsSubscription(session, contacts, source, durationMinutes);
    return follow({
      contacts,
      source,
      signals: (select) => recreatingSubscription({ session, type, source, onLost, select }),
    });
  };
  if (isObservable(uris)) return liveContacts(uris.pipe(map(checkUris)), watch);
  const checked = checkUris(uris);
  return checked.length === 0 ? EMPTY : defer(() => watch(staticContacts(checked)));
}

function checkUris(uris: unknown): readonly string[] {
  if (!Array.isArray(uris)) throw invalidOption('uris', uris, 'a list of sip: URIs');
  return uris.map((uri: unknown, index) => {
    if (typeof uri === 'string' && SIP_URI.test(uri)) return uri;
    throw invalidOption(`uris[${index}]`, uri, "a sip: URI such as 'sip:sara@contoso.com'");
  });
}

/** The contacts of {@link presence}, and the lifetime of its subscription. @inline */
export interface PresenceOptions extends LifetimeOptions {
  /**
   * The contacts, as `sip:` URIs, or an Observable of such lists. Only the difference between lists is sent.
   * An empty list sends nothing: the Observable completes, or waits for the next list.
   */
  readonly uris: readonly string[] | Observable<readonly string[]>;
}

/**
 * Returns an Observable that subscribes to the presence of contacts and emits their events.
 *
 * It creates a presence subscription on the server, and removes it when it is unsubscribed. It also emits the
 * events of the subscription itself.
 *
 * - The event channel is open before the subscription is created, so no event is missed. Most events carry a
 *   link only: `ucwa.get(event.link)` returns the resource.
 * - Each subscriber has its own subscription on the server, unless `graceSeconds` is given.
 * - The subscription is extended before it expires. It is re-created if the server has ended or lost it, or
 *   its application. A `gap` event is emitted first: the state of the contacts may have changed. After a
 *   `gap` with the reason `resync` the subscription still exists, but events may be missing.
 * - If `uris` reverts a change that got no response less than a minute ago, the subscription is re-created,
 *   whatever `onLost` says: the lost request could still arrive.
 * - It errors if the server refuses the first subscription, with the error that ends the event channel, and
 *   if the application is gone and cannot be re-created. Later creations are retried as long as failures are
 *   transient.
 * - Errors of the removal go to `ucwa.releases`. There `detail.deletedEvent` is `seen` if the server
 *   announced the removal, `notSeen` if it did not in time, and `notWatched` if the event channel was closed.
 *
 * It throws a TypeError that names an invalid option.
 *
 * @see [MS-UCWA] SubscribeToThePresenceOfSelectedContacts
 * @see [MS-UCWA] ExtendAPresenceSubscription
 * @see [MS-UCWA] DeleteAPresenceSubscription
 *
 * @example
 * ```ts
 * import { bearer } from 'rxchange';
 * import { connectUcwa, presence } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const server = ucwaSimulator({ mediumSeconds: 0 });
 * const ucwa = connectUcwa({ server: server.url, auth: bearer('secret'), transport: server.transport });
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
  const session = sessionOf(ucwa);
  const { uris } = objectOption('options', options, { ...LIFETIME_RULES, uris: 1 });
  const lifetime = lifetimeOf(options);
  return presenceStream(session, uris, lifetime, ({ signals }) => signals(({ event }) => event)).pipe(
    shared(session, lifetime),
    untilClosed(session.ledger, 'presence', options),
  );
}
