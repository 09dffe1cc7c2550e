import { asyncScheduler, defer, finalize, type Observable, share } from 'rxjs';
import type { Visit } from './program.ts';

/** The sources of a world, each shared as visitors want it, and how often each began for itself. */
export interface Sources {
  readonly openings: ReadonlyMap<string, number>;
  readonly of: (visit: Visit) => Observable<unknown>;
}

/**
 * Makes the sources of a world.
 *
 * @param make Makes a source, with this grace time, or for each subscriber its own.
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

  /** The library keeps it for a time: who comes within that opens nothing. */
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
          // What ends by itself is not kept.
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
