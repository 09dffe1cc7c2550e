import { defer, EMPTY, exhaustMap, NEVER, type Observable, Subject, takeUntil, tap } from 'rxjs';
import { contactUriKey } from '../channel/eventKeys.ts';
import type { LiveApplication } from '../application/liveApplication.ts';
import type { Created } from '../subscription/subscriptionType.ts';

/** A subscription to contacts, and whom it has. */
export interface ContactsSubscription extends Created {
  /** The keys of its contacts; undefined where it has all that will ever be wanted. */
  readonly has: Set<string> | undefined;
}

/** The contacts that a presence stream is to watch, as that changes. */
export interface WantedContacts {
  /** The URIs by their keys, each contact once. */
  readonly byKey: ReadonlyMap<string, string>;
  /** Emits when they have changed. */
  readonly changed$: Observable<void>;
  /** Whether they never change. */
  readonly isFixed: boolean;
  /** Told of each subscription that is made for them, and of the application that it is on. */
  made: ((subscription: ContactsSubscription, application: LiveApplication) => void) | undefined;
}

/** The same contacts for ever. */
export function staticContacts(uris: readonly string[]): WantedContacts {
  return { byKey: keyed(uris), changed$: NEVER, isFixed: true, made: undefined };
}

/**
 * Returns an Observable that mirrors `watch` while the lists change that the source emits. It begins with the
 * first list that is not empty, goes on with the last list when the source completes, and errors with it. It
 * completes with `watch`, and where there is never anybody to watch.
 */
export function liveContacts<Value>(
  lists$: Observable<readonly string[]>,
  watch: (wanted: WantedContacts) => Observable<Value>,
): Observable<Value> {
  return defer(() => {
    const changed = new Subject<void>();
    const ended = new Subject<void>();
    const wanted = { byKey: keyed([]), changed$: changed, isFixed: false, made: undefined };
    return lists$.pipe(
      tap((uris) => {
        wanted.byKey = keyed(uris);
        changed.next();
      }),
      // Once somebody is watched, whoever watches follows the changes.
      exhaustMap(() =>
        wanted.byKey.size === 0 ? EMPTY : watch(wanted).pipe(tap({ complete: () => ended.next() })),
      ),
      takeUntil(ended),
    );
  });
}

function keyed(uris: readonly string[]): ReadonlyMap<string, string> {
  return new Map(uris.map((uri) => [contactUriKey(uri), uri]));
}
