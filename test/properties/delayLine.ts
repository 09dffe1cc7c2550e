import { asyncScheduler, type MonoTypeOperatorFunction, Observable, Subject, timer } from 'rxjs';

/** A way on which what comes can be held up, each stream of it apart from the others. */
export interface DelayLine {
  /** Returns an operator for what takes this way: it comes as it was sent, in order, and now and then late. */
  delay<Value>(): MonoTypeOperatorFunction<Value>;
  /** Holds up what is on this way now, for so long in virtual milliseconds. */
  stall(ms: number): void;
}

/** Creates a {@link DelayLine} on which nothing is held up yet. */
export function delayLine(): DelayLine {
  const stalls$ = new Subject<number>();
  return {
    delay: () => (source) =>
      new Observable((subscriber) => {
        const held: (() => void)[] = [];
        let until = 0;
        let isBusy = false;

        // In a loop: with concatMap, thousands of held chunks overflow the stack.
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
