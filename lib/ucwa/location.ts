import { type Observable, of } from 'rxjs';
import { pinnedTo } from '../core/pinnedTo.ts';
import type { Middleware } from '../core/transport.ts';

/** Where the server of a connection is. */
export interface Location {
  /** Emits the URL of the application, or of where applications are created, and completes. */
  readonly url$: Observable<string>;
  /** Sends requests to the origin of that URL only. */
  readonly pinned: Middleware;
  /**
   * Returns an Observable that emits whether the server is elsewhere now, as a failure may mean, and
   * completes.
   *
   * @param failures How many failures came in a row, from 1.
   */
  readonly hasMoved: (error: unknown, failures: number) => Observable<boolean>;
}

/** The location that the caller knows: it is always the same. */
export function fixedLocation(url: string): Location {
  return { url$: of(url), pinned: pinnedTo(url), hasMoved: () => of(false) };
}
