import { type MonoTypeOperatorFunction, Observable, type Subscriber, Subscription } from 'rxjs';

/**
 * Returns an Observable that shares one subscription to the source between all its subscribers, as `share` with a
 * ReplaySubject of one value, and ends it when the last has left. Its subscribers take little room, and thousands
 * that leave together are not looked for one by one.
 *
 * @param isCurrent Whether who comes later still gets the last value; or else the next is waited for.
 */
export function shareLatest<Value>(isCurrent: (value: Value) => boolean): MonoTypeOperatorFunction<Value> {
  return (source) => {
    const subscribers = new Set<Subscriber<Value>>();
    let latest: { readonly value: Value } | undefined;
    let connection = Subscription.EMPTY;

    /** Those who were there until now: who comes because of what they are told begins anew. */
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
