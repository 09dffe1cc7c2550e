import { concatMap, defer, map, mergeMap, type Observable, type OperatorFunction } from 'rxjs';

/**
 * Returns an Observable that emits what each value of the source is projected to, in the order of the source,
 * while several are worked on at a time.
 *
 * @param project Makes an Observable of a value. It has to emit one value, and never an error.
 * @param concurrency How many of these are subscribed to at a time.
 */
export function mergeInOrder<In, Out extends object>(
  project: (value: In) => Observable<Out>,
  concurrency: number,
): OperatorFunction<In, Out> {
  return (source) =>
    defer(() => {
      const early = new Map<number, Out>();
      let turn = 0;
      return source.pipe(
        mergeMap((value, index) => project(value).pipe(map((result) => ({ index, result }))), concurrency),
        concatMap(({ index, result }) => {
          early.set(index, result);
          const ready: Out[] = [];
          for (let next = early.get(turn); next !== undefined; next = early.get(++turn)) {
            early.delete(turn);
            ready.push(next);
          }
          return ready;
        }),
      );
    });
}
