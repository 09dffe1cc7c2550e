import { defer, EMPTY, isObservable, map, type Observable } from 'rxjs';
import { invalidOption } from '../core/options.ts';
import type { UcwaInternals } from './connect.ts';
import { contactsKind } from './contactsKind.ts';
import type { UcwaEvent } from './events.ts';
import { type Interest, ownEvents, type OwnEvents } from './ownEvents.ts';
import type { Lifetime } from './subscriptionOptions.ts';
import { subscriptionStream } from './subscriptionStream.ts';
import { fixedContacts, followingContacts, type WantedContacts } from './wantedContacts.ts';

/** The contacts of a presence stream, as they are watched. */
export interface WatchedContacts {
  readonly wanted: WantedContacts;
  readonly own: OwnEvents;
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
  internals: UcwaInternals,
  uris: readonly string[] | Observable<readonly string[]>,
  lifetime: Lifetime,
  follow: (watched: WatchedContacts) => Observable<Value>,
): Observable<Value> {
  const watch = (wanted: WantedContacts): Observable<Value> => {
    const own = ownEvents(internals, NAMED);
    const kind = contactsKind(internals, wanted, own, lifetime.durationMinutes);
    const events$ = subscriptionStream(internals, kind, own, lifetime.onEnd);
    return follow({ wanted, own, events$ });
  };
  const lists$ = isObservable(uris) ? uris.pipe(map(checkUris)) : undefined;
  if (lists$ !== undefined) return defer(() => followingContacts(lists$, watch));
  const fixed = checkUris(uris);
  return fixed.length === 0 ? EMPTY : defer(() => watch(fixedContacts(fixed)));
}

function checkUris(uris: unknown): readonly string[] {
  if (!Array.isArray(uris)) throw invalidOption('uris', uris, 'a list of sip: URIs');
  return uris.map((uri: unknown, index) => {
    if (typeof uri === 'string' && SIP_URI.test(uri)) return uri;
    throw invalidOption(`uris[${index}]`, uri, "a sip: URI such as 'sip:sara@contoso.com'");
  });
}
