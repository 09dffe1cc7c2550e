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
 * Returns whether the error of a request makes the known location doubtful: a pure function.
 *
 * A location is doubtful after a 502, after a 403 without a subcode, which is not from UCWA, and after three
 * network failures in a row. The documentation says "after many retries", without a number.
 *
 * @see [MS-UCWA] RootURL
 *
 * @param failures The number of failures in a row, from 1.
 */
export function shouldRediscover(error: unknown, failures: number): boolean {
  if (error instanceof NetworkError) return failures >= UNREACHABLE_AFTER;
  if (!(error instanceof HttpError)) return false;
  return error.status === 502 || (error.status === 403 && error.subcode === undefined);
}

/** The discovery of UCWA, which keeps its result. */
export interface Discovery {
  /**
   * Emits the location of UCWA, and completes. All subscribers share one search, which is repeated only after
   * {@link Discovery.forget}; a failure is not kept.
   */
  readonly location$: Observable<UcwaLocation>;
  /** Signs requests to the origins that were found, with the tokens that the search needed. */
  readonly signed: Middleware;
  /**
   * Lets the next subscriber search again: see {@link shouldRediscover}. Refused credentials are tried again
   * then; tokens are kept.
   */
  readonly forget: () => void;
}

/** The location of a connection's server. */
export interface ServerLocation {
  /** Emits the URL of the application, or the URL for creating applications, and completes. */
  readonly url$: Observable<string>;
  /** Sends requests only to the origin of that URL. */
  readonly pinned: Middleware;
  /** Counts requests without a response: three in a row make the location doubtful. */
  readonly tracked: Middleware;
  /**
   * Returns an Observable that emits whether the server has moved, and completes. It searches again if the
   * error of a request makes the location doubtful, and errors with a transient failure of that search.
   */
  readonly hasMoved: (error: unknown) => Observable<boolean>;
}

/** Returns the location of a server with a known URL, which never changes. */
export function staticLocation(url: string, limits?: Limits): ServerLocation {
  return {
    url$: of(url),
    pinned: restrictToOrigin(url, limits),
    tracked: identity,
    hasMoved: () => of(false),
  };
}

/**
 * Returns the location that discovery finds.
 *
 * The first subscription starts the search; it is repeated if a failure shows that the location is out of
 * date. Until then, requests go to the origin that was found last.
 *
 * @see [MS-UCWA] RootURL
 *
 * @param retries How often transient failures are retried before the first search has succeeded.
 */
export function discoveredLocation(
  discovery: Discovery,
  pause: Pause,
  retries: number,
  limits?: Limits,
): ServerLocation {
  let last: UcwaLocation | undefined;
  /** The number of requests in a row without a response. */
  let unanswered = 0;
  /** The running search for a new location, which all subscribers share. */
  let looking$: Observable<boolean> | undefined;

  const found$ = discovery.location$.pipe(tap((found) => (last = found)));

  const look = (): Observable<boolean> => {
    const before = last?.applications;
    unanswered = 0;
    discovery.forget();
    return found$.pipe(
      map(({ applications }) => applications !== before),
      // If the search fails permanently, the original error says more.
      catchError((cause: unknown) =>
        decide('channel', cause, 1) === 'retry' ? throwError(() => cause) : of(false),
      ),
      finalize(() => (looking$ = undefined)),
      // A subscriber that re-enters here gets the same result.
      share({ connector: () => new ReplaySubject(1) }),
    );
  };

  return {
    url$: found$.pipe(
      map(({ applications }) => applications),
      retry({
        delay: (error: unknown, failures) =>
          error instanceof DiscoveryError && error.isTransient && failures <= retries
            ? pause(failures, error)
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
