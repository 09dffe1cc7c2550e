import { concatMap, defer, map, mergeMap, type Observable, type OperatorFunction } from 'rxjs';

/**
 * Returns an operator like `mergeMap` that emits in the order of the source.
 *
 * @param project Returns an Observable of exactly one value that never errors.
 * @param concurrency The most of these that are subscribed to at a time.
 */
export function mergeInOrder<In, Out extends object>(
  project: (value: In) => Observable<Out>,
  concurrency: number,
): OperatorFunction<In, Out> {
  return (source) =>
    defer(() => {
      const early = new Map<number, Out>();
      let position = 0;
      return source.pipe(
        mergeMap((value, index) => project(value).pipe(map((result) => ({ index, result }))), concurrency),
        concatMap(({ index, result }) => {
          early.set(index, result);
          const ready: Out[] = [];
          for (let next = early.get(position); next !== undefined; next = early.get(++position)) {
            early.delete(position);
            ready.push(next);
          }
          return ready;
        }),
      );
    });
}
