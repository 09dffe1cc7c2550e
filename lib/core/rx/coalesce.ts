import { catchError, concat, defer, EMPTY, type Observable, Subject } from 'rxjs';

/**
 * Returns a function that requests a run of some work, such as a write.
 *
 * Its Observable completes or errors with the first run that starts after the call. Runs follow one another;
 * all calls during a run share the next one. A run continues without subscribers.
 */
export function coalesce(work: () => Observable<unknown>): () => Observable<never> {
  let latest: Observable<never> = EMPTY;
  let next: Observable<never> | undefined;

  return () => {
    if (next !== undefined) return next;
    // A Subject: late subscribers get its completion or error.
    const run = new Subject<never>();
    const before = latest.pipe(catchError(() => EMPTY));
    next = latest = run;
    concat(
      before,
      defer(() => {
        next = undefined;
        return work();
      }),
    ).subscribe({ error: (error: unknown) => run.error(error), complete: () => run.complete() });
    return run;
  };
}
