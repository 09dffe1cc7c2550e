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
  noop,
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
import { failureOf } from '../../core/backoff/outage.ts';
import type { StatusTracker } from '../../core/connectionStatus.ts';
import { NetworkError } from '../../core/errors.ts';
import { feature, type Feature } from '../../core/feature.ts';
import type { Auth } from '../../core/auth/auth.ts';
import type { Middleware, Transport } from '../../core/transport/transport.ts';

/** A server that is found by the address of a mailbox: the value of {@link autodiscovered}. */
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
  /** Records failed lookups, until one has found the URL. */
  readonly status?: Pick<StatusTracker, 'record'>;
}

/** The feature of {@link autodiscovered}. */
export const AUTODISCOVERED: Feature<{
  readonly locate: (context: LookupContext & LookupTimes) => ServerLocation;
}> = /* @__PURE__ */ feature("autodiscovered(address) from 'rxchange/ews'");

/** The URL of the web services, and how it changes. */
export interface ServerLocation {
  /**
   * Emits the URL, after a lookup if it is unknown, and each later one that a lookup finds. It errors if no
   * lookup has ever found one.
   */
  readonly url$: Observable<string>;
  /** Makes the next subscriber of `url$` look the URL up again, at most once a minute. */
  invalidate(): void;
  /** Counts the failures of requests to a URL: several in a row start a lookup. */
  tracked(url: string): Middleware;
}

/** Fewer failures in a row may be an accident. */
const MOST_FAILURES = 5;
/** The least time between lookups: a failure of one request is usually a failure of all. */
const LOOK_UP_EVERY_MS = 60_000;

/** Returns the location for a URL that does not change. */
export function staticLocation(url: string): ServerLocation {
  return { url$: of(url), invalidate: () => undefined, tracked: () => identity };
}

/**
 * Returns the location for a URL that is looked up: once for all subscribers that need it.
 *
 * If a later lookup finds nothing, the known URL stays. Until one has found it, failed lookups are spaced by
 * the backoff, however many subscribers there are.
 */
export function discoveredLocation(
  lookUp$: Observable<string>,
  { retry = {}, closing$, online$ = NEVER, status = { record: noop } }: LookupTimes,
): ServerLocation {
  const found$ = new BehaviorSubject<string | undefined>(undefined);
  let isInvalid = true;
  let failures = 0;
  let nextLookUpAt = 0;
  /** How many lookups have failed before the first success, and when the next one may start. */
  let misses = 0;
  let dueAt = 0;

  const due$ = defer(() => {
    const waitMs = dueAt - asyncScheduler.now();
    return waitMs > 0 ? merge(timer(waitMs), online$).pipe(take(1)) : of(0);
  });
  const lookUpOnce$ = due$.pipe(
    mergeMap(() => {
      failures = 0;
      nextLookUpAt = asyncScheduler.now() + LOOK_UP_EVERY_MS;
      return lookUp$;
    }),
    tap((url) => {
      dueAt = 0;
      isInvalid = false;
      if (misses > 0) status.record({ type: 'succeeded' });
      misses = 0;
      if (url !== found$.value) found$.next(url);
    }),
    catchError((error: unknown) => {
      if (found$.value === undefined) {
        misses += 1;
        dueAt = asyncScheduler.now() + backoff(misses, retry);
        status.record(failureOf(error, misses, dueAt));
        return throwError(() => error);
      }
      isInvalid = false;
      return EMPTY;
    }),
    ignoreElements(),
    share(),
  );

  const countFailure = (url: string, isFailure: boolean): void => {
    if (url !== found$.value) return;
    failures = isFailure ? failures + 1 : 0;
    if (failures >= MOST_FAILURES && asyncScheduler.now() >= nextLookUpAt)
      lookUpOnce$.pipe(takeUntil(closing$)).subscribe();
  };

  return {
    url$: defer(() =>
      concat(isInvalid ? lookUpOnce$ : EMPTY, found$.pipe(filter((url) => url !== undefined))),
    ),
    invalidate: () => {
      if (asyncScheduler.now() >= nextLookUpAt) isInvalid = true;
    },
    tracked: (url) => (transport) => (request) =>
      transport(request).pipe(
        tap({
          next: ({ status }) => countFailure(url, status === 502),
          error: (error: unknown) => countFailure(url, error instanceof NetworkError),
        }),
      ),
  };
}
