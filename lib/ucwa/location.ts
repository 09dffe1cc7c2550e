import {
  catchError,
  defer,
  finalize,
  identity,
  map,
  mergeMap,
  type Observable,
  of,
  ReplaySubject,
  retry,
  share,
  tap,
  throwError,
} from 'rxjs';
import { NetworkError } from '../core/errors.ts';
import type { Limits } from '../core/limits.ts';
import { pinnedTo } from '../core/pinnedTo.ts';
import type { Middleware } from '../core/transport.ts';
import { decide } from './decision.ts';
import type { Discovery } from './discovery.ts';
import { DiscoveryError } from './discoveryError.ts';
import type { UcwaLocation } from './discoveryWalk.ts';
import { mustDiscoverAgain } from './mustDiscoverAgain.ts';
import type { Pause } from '../core/backoff.ts';

/** Where the server of a connection is. */
export interface Location {
  /** Emits the URL of the application, or of where applications are created, and completes. */
  readonly url$: Observable<string>;
  /** Sends requests to the origin of that URL only. */
  readonly pinned: Middleware;
  /** Notes whether the server answers: three requests in a row without an answer make its location doubtful. */
  readonly noted: Middleware;
  /**
   * Returns an Observable that emits whether the server is elsewhere now, as the failure of a request to it may
   * mean, and completes. It errors where that cannot be told yet, with what will pass.
   */
  readonly hasMoved: (error: unknown) => Observable<boolean>;
}

/** The location that the caller knows: it is always the same. */
export function fixedLocation(url: string, limits?: Limits): Location {
  return { url$: of(url), pinned: pinnedTo(url, limits), noted: identity, hasMoved: () => of(false) };
}

/**
 * The location that discovery finds: looked for when it is first asked for, and again when a failure says that
 * it is out of date. Until then requests go to the origin that was found last. [RootURL]
 *
 * @param retries How often hosts that will come back are waited for before the first of them has led anywhere.
 */
export function foundLocation(
  discovery: Discovery,
  pause: Pause,
  retries: number,
  limits?: Limits,
): Location {
  let last: UcwaLocation | undefined;
  /** How many requests in a row were not answered. */
  let unanswered = 0;
  /** Whether it has moved, while that is being looked for: once for all who ask. */
  let looking$: Observable<boolean> | undefined;

  const found$ = discovery.location$.pipe(tap((found) => (last = found)));

  const look = (): Observable<boolean> => {
    const before = last?.applications;
    unanswered = 0;
    discovery.forget();
    return found$.pipe(
      map(({ applications }) => applications !== before),
      // Where nothing will be found, the failure itself says more.
      catchError((cause: unknown) =>
        decide('channel', cause, 1) === 'retry' ? throwError(() => cause) : of(false),
      ),
      finalize(() => (looking$ = undefined)),
      // Who asks because of the answer gets the same.
      share({ connector: () => new ReplaySubject(1) }),
    );
  };

  return {
    url$: found$.pipe(
      map(({ applications }) => applications),
      retry({
        delay: (error: unknown, failures) =>
          error instanceof DiscoveryError && error.isTransient && failures <= retries
            ? pause(failures)
            : throwError(() => error),
      }),
    ),
    pinned: (transport) => (request) =>
      defer(() => (last === undefined ? found$ : of(last))).pipe(
        mergeMap(({ origin }) => pinnedTo(origin, limits)(transport)(request)),
      ),
    noted: (transport) => (request) =>
      transport(request).pipe(
        tap({
          next: () => (unanswered = 0),
          error: (error: unknown) => {
            if (error instanceof NetworkError) unanswered += 1;
          },
        }),
      ),
    hasMoved: (error) =>
      defer(() => (mustDiscoverAgain(error, unanswered) ? (looking$ ??= look()) : of(false))),
  };
}
