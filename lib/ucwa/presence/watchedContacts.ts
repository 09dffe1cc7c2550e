import {
  BehaviorSubject,
  defer,
  EMPTY,
  exhaustMap,
  map,
  NEVER,
  type Observable,
  skip,
  Subject,
  takeUntil,
  tap,
} from 'rxjs';
import { contactUriKey } from '../channel/eventRouter.ts';
import type { Created } from '../subscription/subscriptionType.ts';

/** A presence subscription and its contacts. */
export interface ContactsSubscription extends Created {
  /** The keys of its contacts; undefined if it has all contacts of a list that never changes. */
  readonly members: Set<string> | undefined;
}

/** The contacts that a presence stream watches. */
export interface WatchedContacts {
  /** The current URIs by key, each contact once. */
  readonly byKey: ReadonlyMap<string, string>;
  /** Emits after each change. */
  readonly changed$: Observable<unknown>;
  /** Whether the list never changes. */
  readonly isStatic: boolean;
}

/** Returns a list of contacts that never changes. */
export function staticContacts(uris: readonly string[]): WatchedContacts {
  return { byKey: keyed(uris), changed$: NEVER, isStatic: true };
}

/**
 * Returns an Observable that mirrors `watch` for lists of contacts that the source emits.
 *
 * It begins with the first list that is not empty, keeps the last list when the source completes, and errors
 * with the source. It completes with `watch`, or with the source if all lists were empty.
 */
export function liveContacts<Value>(
  lists$: Observable<readonly string[]>,
  watch: (contacts: WatchedContacts) => Observable<Value>,
): Observable<Value> {
  return defer(() => {
    const current = new BehaviorSubject<ReadonlyMap<string, string>>(new Map());
    const ended = new Subject<void>();
    const contacts: WatchedContacts = {
      get byKey() {
        return current.value;
      },
      changed$: current.pipe(skip(1)),
      isStatic: false,
    };
    return lists$.pipe(
      map(keyed),
      tap((byKey) => current.next(byKey)),
      // After the first list with contacts, `watch` follows the changes.
      exhaustMap(({ size }) =>
        size === 0 ? EMPTY : watch(contacts).pipe(tap({ complete: () => ended.next() })),
      ),
      takeUntil(ended),
    );
  });
}

function keyed(uris: readonly string[]): ReadonlyMap<string, string> {
  return new Map(uris.map((uri) => [contactUriKey(uri), uri]));
}
