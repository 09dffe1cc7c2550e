import { filter, Subject, type Subscription, takeUntil } from 'rxjs';
import { eventRouter } from '../../lib/ucwa/channel/eventRouter.ts';
import type { Benchmark, Round } from './benchmark.ts';

const COUNTS = [1000, 10_000, 50_000];

interface Leaving {
  unsubscribe(): void;
}

/** Subscribes a number of times, and measures the time until the last unsubscribe is complete. */
function round(subscribe: (count: number) => readonly Leaving[]): Round {
  return () =>
    Object.fromEntries(
      COUNTS.map((count) => {
        const subscriptions = subscribe(count);
        const begin = performance.now();
        for (const subscription of subscriptions) subscription.unsubscribe();
        return [String(count), performance.now() - begin];
      }),
    );
}

function indexes(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

export const benchmark: Benchmark = {
  work: 'subscribers of one channel that leave in the order in which they came; milliseconds by their number',
  rounds: 5,
  contenders: {
    rxchange: () =>
      round((count) => {
        const router = eventRouter();
        return indexes(count).map((index) => {
          const listener = (): void => undefined;
          router.route(listener, new Set([`/people/${index}`]));
          return { unsubscribe: () => router.unregister(listener) };
        });
      }),
    'Subject and filter': () =>
      round((count) => {
        const events = new Subject<number>();
        return indexes(count).map((index): Subscription =>
          events.pipe(filter((event) => event === index)).subscribe(),
        );
      }),
    'takeUntil of one stop$': () =>
      round((count) => {
        const events = new Subject<number>();
        const stop$ = new Subject<void>();
        return indexes(count).map((index): Subscription =>
          events
            .pipe(
              filter((event) => event === index),
              takeUntil(stop$),
            )
            .subscribe(),
        );
      }),
  },
  goals: [
    { measure: '50000', of: 'Subject and filter', per: 'rxchange', atLeast: 50 },
    { measure: '50000', of: 'takeUntil of one stop$', per: 'rxchange', atLeast: 50 },
    // Five times as many: linear, with a reserve for a larger heap.
    { measure: '50000', of: 'rxchange', per: 'rxchange', perMeasure: '10000', atMost: 10 },
  ],
};
