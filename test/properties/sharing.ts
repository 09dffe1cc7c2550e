import { asyncScheduler, defer, finalize, type Observable, share } from 'rxjs';
import type { Visit } from './program.ts';

/** The sources of a world, each with the sharing of its visitors, and the number of own subscriptions. */
export interface Sources {
  readonly openings: ReadonlyMap<string, number>;
  readonly of: (visit: Visit) => Observable<unknown>;
}

/**
 * * Creates the sources of a world.
 *
 * * @param make Creates a source, with a grace time or one per subscriber.
 */
export function sources(
  graceSeconds: number,
  placeOf: (visit: Visit) => string | undefined,
  make: (visit: Visit, graceSeconds?: number) => Observable<unknown>,
): Sources {
  const openings = new Map<string, number>();
  const known = new Map<string, Observable<unknown>>();
  const opened = (visit: Visit): void => {
    const place = placeOf(visit) ?? '';
    openings.set(place, (openings.get(place) ?? 0) + 1);
  };
  const counted = (visit: Visit, source: Observable<unknown>): Observable<unknown> =>
    defer(() => {
      opened(visit);
      return source;
    });

  /** The library keeps it for the grace time: a subscriber within it opens nothing. */
  const graced = (visit: Visit): Observable<unknown> => {
    const source = make(visit, graceSeconds);
    let present = 0;
    let leftAt = -Infinity;
    return defer(() => {
      if (present === 0 && asyncScheduler.now() - leftAt >= graceSeconds * 1000) opened(visit);
      present += 1;
      return source.pipe(
        finalize(() => {
          present -= 1;
          // A source that completes or errors has no grace time.
          leftAt = asyncScheduler.now();
        }),
      );
    });
  };

  const makeShared = (visit: Visit): Observable<unknown> =>
    visit.sharing === 'graced' ? graced(visit) : counted(visit, make(visit)).pipe(share());

  return {
    openings,
    of: (visit) => {
      if (visit.sharing === 'own') return counted(visit, make(visit));
      const key = `${visit.to} ${visit.place} ${visit.sharing}`;
      const source = known.get(key) ?? makeShared(visit);
      known.set(key, source);
      return source;
    },
  };
}
