import { catchError, defer, map, mergeMap, type Observable, of, retry, tap, throwError } from 'rxjs';
import { pinnedTo } from '../core/pinnedTo.ts';
import type { Middleware } from '../core/transport.ts';
import { decide } from './decision.ts';
import type { Discovery } from './discovery.ts';
import { DiscoveryError } from './discoveryError.ts';
import type { UcwaLocation } from './discoveryWalk.ts';
import { mustDiscoverAgain } from './mustDiscoverAgain.ts';
import type { Pause } from './pause.ts';

/** Where the server of a connection is. */
export interface Location {
  /** Emits the URL of the application, or of where applications are created, and completes. */
  readonly url$: Observable<string>;
  /** Sends requests to the origin of that URL only. */
  readonly pinned: Middleware;
  /**
   * Returns an Observable that emits whether the server is elsewhere now, as a failure may mean, and
   * completes. It errors where that cannot be told yet, with what will pass.
   *
   * @param failures How many failures came in a row, from 1.
   */
  readonly hasMoved: (error: unknown, failures: number) => Observable<boolean>;
}

/** The location that the caller knows: it is always the same. */
export function fixedLocation(url: string): Location {
  return { url$: of(url), pinned: pinnedTo(url), hasMoved: () => of(false) };
}

/**
 * The location that discovery finds: looked for when it is first asked for, and again when a failure says that
 * it is out of date. Until then requests go to the origin that was found last. [RootURL]
 *
 * @param retries How often hosts that will come back are waited for before the first of them has led anywhere.
 */
export function foundLocation(discovery: Discovery, pause: Pause, retries: number): Location {
  let last: UcwaLocation | undefined;
  const found$ = discovery.location$.pipe(tap((found) => (last = found)));
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
        mergeMap(({ origin }) => pinnedTo(origin)(transport)(request)),
      ),
    hasMoved: (error, failures) =>
      defer(() => {
        if (!mustDiscoverAgain(error, failures)) return of(false);
        const before = last?.applications;
        discovery.forget();
        return found$.pipe(
          map(({ applications }) => applications !== before),
          // Where nothing will be found, the failure itself says more.
          catchError((cause: unknown) =>
            decide('channel', cause, 1) === 'retry' ? throwError(() => cause) : of(false),
          ),
        );
      }),
  };
}
