import {
  asyncScheduler,
  BehaviorSubject,
  catchError,
  concat,
  defer,
  EMPTY,
  filter,
  identity,
  ignoreElements,
  merge,
  mergeMap,
  NEVER,
  type Observable,
  of,
  share,
  take,
  takeUntil,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { backoff, type BackoffPolicy } from '../../core/backoff/backoff.ts';
import { NetworkError } from '../../core/errors.ts';
import { feature, type Feature } from '../../core/feature.ts';
import type { Auth } from '../../core/transport/auth.ts';
import type { Middleware, Transport } from '../../core/transport/transport.ts';

/** What {@link autodiscovered} returns: a server that is found by the address of a mailbox. */
export interface Autodiscovered {
  /** The SMTP address of the mailbox. */
  readonly address: string;
}

/** The sending part of a connection, for the lookup of its server. */
export interface LookupContext {
  readonly transport: Transport;
  readonly auth: Auth | undefined;
  /** Signs requests by `auth`. */
  readonly sign: Middleware;
  /** How many redirects are followed. @default as documented there */
  readonly redirects: number | undefined;
}

/** The times of a connection, for the lookup of its server. */
export interface LookupTimes {
  readonly retry?: BackoffPolicy;
  /** Emits when the connection is closed. */
  readonly closing$: Observable<unknown>;
  /** Emits when the platform has a network again: a lookup that waits is sent then. */
  readonly online$?: Observable<unknown>;
}

/** The feature of {@link autodiscovered}. */
export const AUTODISCOVERED: Feature<{
  readonly locate: (context: LookupContext & LookupTimes) => ServerLocation;
}> = /* @__PURE__ */ feature("autodiscovered(address) from 'rxchange/ews'");

/** Where a service is. */
export interface ServerLocation {
  /**
   * Emits the URL, looked up when nobody knows it yet, and each other one that the service is found at from
   * then on. It errors where it was never found.
   */
  readonly url$: Observable<string>;
  /** The service may be somewhere else by now: it is looked for again by who next needs the URL, once a minute. */
  invalidate(): void;
  /** Notes whether a URL can be reached: several failures in a row are looked into. */
  tracked(url: string): Middleware;
}

/** A connection that fails once or twice may be an accident. */
const MOST_FAILURES = 5;
/** How often it is looked for at most: what is wrong with one request is wrong with all. */
const LOOK_EVERY_MS = 60_000;

/** The location of a service whose URL was given. */
export function staticLocation(url: string): ServerLocation {
  return { url$: of(url), invalidate: () => undefined, tracked: () => identity };
}

/**
 * The location of a service that has to be looked up: once for all that need it. Where looking again finds
 * nothing, the service counts as being where it was. Until it was found, lookups that fail are spaced by the backoff,
 * however many need the URL.
 */
export function discoveredLocation(
  lookUp$: Observable<string>,
  { retry = {}, closing$, online$ = NEVER }: LookupTimes,
): ServerLocation {
  const found$ = new BehaviorSubject<string | undefined>(undefined);
  let isDoubted = true;
  let failures = 0;
  let nextLookAt = 0;
  /** How many lookups in a row found nothing, before the first that did; and when the next one may be sent. */
  let misses = 0;
  let dueAt = 0;

  const due$ = defer(() => {
    const waitMs = dueAt - asyncScheduler.now();
    return waitMs > 0 ? merge(timer(waitMs), online$).pipe(take(1)) : of(0);
  });
  const look$ = due$.pipe(
    mergeMap(() => {
      failures = 0;
      nextLookAt = asyncScheduler.now() + LOOK_EVERY_MS;
      return lookUp$;
    }),
    tap((url) => {
      dueAt = 0;
      isDoubted = false;
      if (url !== found$.value) found$.next(url);
    }),
    catchError((error: unknown) => {
      if (found$.value === undefined) {
        misses += 1;
        dueAt = asyncScheduler.now() + backoff(misses, retry);
        return throwError(() => error);
      }
      isDoubted = false;
      return EMPTY;
    }),
    ignoreElements(),
    share(),
  );

  const note = (url: string, isFailure: boolean): void => {
    if (url !== found$.value) return;
    failures = isFailure ? failures + 1 : 0;
    if (failures >= MOST_FAILURES && asyncScheduler.now() >= nextLookAt)
      look$.pipe(takeUntil(closing$)).subscribe();
  };

  return {
    url$: defer(() => concat(isDoubted ? look$ : EMPTY, found$.pipe(filter((url) => url !== undefined)))),
    invalidate: () => {
      if (asyncScheduler.now() >= nextLookAt) isDoubted = true;
    },
    tracked: (url) => (transport) => (request) =>
      transport(request).pipe(
        tap({
          next: ({ status }) => note(url, status === 502),
          error: (error: unknown) => note(url, error instanceof NetworkError),
        }),
      ),
  };
}
