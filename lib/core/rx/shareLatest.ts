import { type MonoTypeOperatorFunction, Observable, type Subscriber, Subscription } from 'rxjs';

/**
 * Returns an operator that shares one subscription and replays the last value, like `share` with a
 * ReplaySubject.
 *
 * Its subscribers take little memory, and removing one takes constant time.
 *
 * @param isCurrent Returns whether late subscribers receive the last value; otherwise they wait for the next.
 */
export function shareLatest<Value>(isCurrent: (value: Value) => boolean): MonoTypeOperatorFunction<Value> {
  return (source) => {
    const subscribers = new Set<Subscriber<Value>>();
    let latest: { readonly value: Value } | undefined;
    let connection = Subscription.EMPTY;

    /**
     * Returns the subscribers so far. One that subscribes because of a notification gets a new subscription.
     */
    const reset = (): Subscriber<Value>[] => {
      const all = [...subscribers];
      subscribers.clear();
      latest = undefined;
      return all;
    };

    return new Observable((subscriber) => {
      if (subscriber.closed) return;
      subscribers.add(subscriber);
      subscriber.add(() => {
        if (!subscribers.delete(subscriber) || subscribers.size > 0) return;
        reset();
        connection.unsubscribe();
      });
      if (subscribers.size > 1) {
        if (latest !== undefined && isCurrent(latest.value)) subscriber.next(latest.value);
        return;
      }
      connection = new Subscription();
      connection.add(
        source.subscribe({
          next: (value) => {
            latest = { value };
            for (const one of [...subscribers]) one.next(value);
          },
          error: (error: unknown) => {
            for (const one of reset()) one.error(error);
          },
          complete: () => {
            for (const one of reset()) one.complete();
          },
        }),
      );
    });
  };
}
