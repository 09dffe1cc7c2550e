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
import type { Pause } from '../../core/backoff/backoff.ts';
import { HttpError, NetworkError } from '../../core/errors.ts';
import type { Limits } from '../../core/limits.ts';
import { restrictToOrigin } from '../../core/transport/restrictToOrigin.ts';
import type { Middleware } from '../../core/transport/transport.ts';
import { DiscoveryError } from '../protocol/errors.ts';
import { decide } from '../protocol/failures.ts';
import type { UcwaLocation } from './steps.ts';

const UNREACHABLE_AFTER = 3;

/**
 * Decides whether a location that was found before is no longer to be trusted: a pure function of the error
 * of a request to it, and of how many requests have failed in a row. [RootURL]
 *
 * After 502; after a 403 that is not UCWA's own answer, which has a subcode; and after three failures in a
 * row to reach it. The documentation says "after many retries", and leaves the number open.
 *
 * @param failures How many failures came in a row, from 1.
 */
export function shouldRediscover(error: unknown, failures: number): boolean {
  if (error instanceof NetworkError) return failures >= UNREACHABLE_AFTER;
  if (!(error instanceof HttpError)) return false;
  return error.status === 502 || (error.status === 403 && error.subcode === undefined);
}

/** Finds UCWA, and remembers where it was. */
export interface Discovery {
  /**
   * Emits where UCWA is, and completes. It is looked for once, for all who ask, and found again only after
   * {@link Discovery.forget}; a failure is not remembered.
   */
  readonly location$: Observable<UcwaLocation>;
  /** Signs requests to the origins that were found, with the tokens that finding them needed. */
  readonly signed: Middleware;
  /**
   * Lets the next who asks look again: see {@link shouldRediscover}. Credentials that were refused are tried
   * again then; tokens are kept.
   */
  readonly forget: () => void;
}

/** Where the server of a connection is. */
export interface ServerLocation {
  /** Emits the URL of the application, or of where applications are created, and completes. */
  readonly url$: Observable<string>;
  /** Sends requests to the origin of that URL only. */
  readonly pinned: Middleware;
  /**
   * Notes whether the server answers: three requests in a row without an answer make its location doubtful.
   */
  readonly tracked: Middleware;
  /**
   * Returns an Observable that emits whether the server is elsewhere now, as the failure of a request to it
   * may mean, and completes. It errors where that cannot be told yet, with what will pass.
   */
  readonly hasMoved: (error: unknown) => Observable<boolean>;
}

/** The location that the caller knows: it is always the same. */
export function staticLocation(url: string, limits?: Limits): ServerLocation {
  return {
    url$: of(url),
    pinned: restrictToOrigin(url, limits),
    tracked: identity,
    hasMoved: () => of(false),
  };
}

/**
 * The location that discovery finds: looked for when it is first asked for, and again when a failure says
 * that it is out of date. Until then requests go to the origin that was found last. [RootURL]
 *
 * @param retries How often hosts that will come back are waited for before the first of them has led
 * anywhere.
 */
export function discoveredLocation(
  discovery: Discovery,
  pause: Pause,
  retries: number,
  limits?: Limits,
): ServerLocation {
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
        mergeMap(({ origin }) => restrictToOrigin(origin, limits)(transport)(request)),
      ),
    tracked: (transport) => (request) =>
      transport(request).pipe(
        tap({
          next: () => (unanswered = 0),
          error: (error: unknown) => {
            if (error instanceof NetworkError) unanswered += 1;
          },
        }),
      ),
    hasMoved: (error) =>
      defer(() => (shouldRediscover(error, unanswered) ? (looking$ ??= look()) : of(false))),
  };
}
