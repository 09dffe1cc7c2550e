import { asyncScheduler, type MonoTypeOperatorFunction, Observable, Subject, timer } from 'rxjs';

/** A connection that can be delayed, each of its streams independently. */
export interface DelayLine {
  /** Returns an operator that mirrors its source in order, and late during a delay. */
  delay<Value>(): MonoTypeOperatorFunction<Value>;
  /** Delays the open streams by this many virtual milliseconds. */
  stall(ms: number): void;
}

/** Creates a {@link DelayLine} without a delay. */
export function delayLine(): DelayLine {
  const stalls$ = new Subject<number>();
  return {
    delay: () => (source) =>
      new Observable((subscriber) => {
        const held: (() => void)[] = [];
        let until = 0;
        let isBusy = false;

        // In a loop, because thousands of delayed chunks overflow the stack with concatMap.
        const release = (): void => {
          isBusy = true;
          for (let next = held[0]; next !== undefined; next = held[0]) {
            const waitMs = until - asyncScheduler.now();
            if (waitMs > 0) {
              subscriber.add(timer(waitMs).subscribe(release));
              return;
            }
            held.shift();
            next();
          }
          isBusy = false;
        };
        const pass = (emit: () => void): void => {
          held.push(emit);
          if (!isBusy) release();
        };

        subscriber.add(stalls$.subscribe((ms) => (until = Math.max(until, asyncScheduler.now() + ms))));
        subscriber.add(
          source.subscribe({
            next: (value) => pass(() => subscriber.next(value)),
            error: (error: unknown) => pass(() => subscriber.error(error)),
            complete: () => pass(() => subscriber.complete()),
          }),
        );
      }),
    stall: (ms) => stalls$.next(ms),
  };
}
