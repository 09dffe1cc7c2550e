import { defer, isObservable, map, type Observable, Subject, tap } from 'rxjs';
import { invalidOption } from '../core/options.ts';
import type { UcwaInternals } from './connect.ts';
import { contactsKind, type ContactsSubscription } from './contactsKind.ts';
import type { UcwaEvent } from './events.ts';
import type { LiveApplication } from './liveApplication.ts';
import { ownEvents, type OwnEvents } from './ownEvents.ts';
import type { Lifetime } from './subscriptionOptions.ts';
import { subscriptionStream } from './subscriptionStream.ts';
import { fixedContacts, followingContacts, type WantedContacts } from './wantedContacts.ts';

/** A subscription that was made, and the application that it is on. */
export interface MadeSubscription {
  readonly subscription: ContactsSubscription;
  readonly application: LiveApplication;
}

/** The contacts of a presence stream, as they are watched. */
export interface WatchedContacts {
  readonly wanted: WantedContacts;
  readonly own: OwnEvents;
  /** Creates the subscription, keeps it, and emits its events. It is for one subscriber. */
  readonly events$: Observable<UcwaEvent>;
  /** Emits each subscription when it is made. */
  readonly made$: Observable<MadeSubscription>;
}

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
    const own = ownEvents(internals, { kind: 'named' });
    const kind = contactsKind(internals, wanted, own, lifetime.durationMinutes);
    const made = new Subject<MadeSubscription>();
    const create: typeof kind.create = (application, onProgress) =>
      kind
        .create(application, onProgress)
        .pipe(tap((subscription) => made.next({ subscription, application })));
    const events$ = subscriptionStream(internals, { ...kind, create }, own, lifetime.onEnd);
    return follow({ wanted, own, events$, made$: made });
  };
  const lists$ = isObservable(uris) ? uris.pipe(map((list) => checkUris(list, 0))) : undefined;
  const fixed = lists$ === undefined ? checkUris(uris, 1) : [];
  return defer(() => (lists$ === undefined ? watch(fixedContacts(fixed)) : followingContacts(lists$, watch)));
}

function checkUris(uris: unknown, least: number): readonly string[] {
  if (!Array.isArray(uris) || uris.length < least) {
    throw invalidOption(
      'uris',
      uris,
      least === 0 ? 'a list of sip: URIs' : 'a list of at least one sip: URI',
    );
  }
  return uris.map((uri: unknown, index) => {
    if (typeof uri === 'string' && SIP_URI.test(uri)) return uri;
    throw invalidOption(`uris[${index}]`, uri, "a sip: URI such as 'sip:sara@contoso.com'");
  });
}
