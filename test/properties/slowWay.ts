import {
  asyncScheduler,
  concatMap,
  defer,
  dematerialize,
  finalize,
  map,
  materialize,
  type MonoTypeOperatorFunction,
  of,
  Subject,
  timer,
} from 'rxjs';

/** A way on which what comes can be held up, each stream of it apart from the others. */
export interface SlowWay {
  /** Returns an operator for what takes this way: it comes as it was sent, in order, and now and then late. */
  takes<Value>(): MonoTypeOperatorFunction<Value>;
  /** Holds up what is on this way now, for so long in virtual milliseconds. */
  stall(ms: number): void;
}

/** Creates a {@link SlowWay} on which nothing is held up yet. */
export function slowWay(): SlowWay {
  const stalls$ = new Subject<number>();
  return {
    takes: () => (source) =>
      defer(() => {
        let until = 0;
        const noting = stalls$.subscribe((ms) => (until = Math.max(until, asyncScheduler.now() + ms)));
        return source.pipe(
          materialize(),
          concatMap((one) => {
            const waitMs = until - asyncScheduler.now();
            return waitMs > 0 ? timer(waitMs).pipe(map(() => one)) : of(one);
          }),
          dematerialize(),
          finalize(() => noting.unsubscribe()),
        );
      }),
    stall: (ms) => stalls$.next(ms),
  };
}
