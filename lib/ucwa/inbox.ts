import { Observable } from 'rxjs';

/** Keeps what comes until somebody takes it. It has one taker at a time. */
export interface Inbox<Value> {
  next(value: Value): void;
  error(error: unknown): void;
  /** The error that came, if one did. */
  readonly failure: { readonly error: unknown } | undefined;
  /**
   * Returns an Observable that takes what came and what comes, in order: each value is made into an Observable,
   * which is mirrored, and the next is taken when that has completed. It errors with the error, at its place.
   * What is not taken when the taker leaves is kept for the next one.
   */
  each<Result>(project: (value: Value) => Observable<Result>): Observable<Result>;
  /** Keeps nothing any more. */
  close(): void;
}

/** Creates an empty inbox. */
export function inbox<Value>(): Inbox<Value> {
  const held: Value[] = [];
  let failure: { readonly error: unknown } | undefined;
  let isClosed = false;
  let notify = (): void => undefined;

  return {
    get failure() {
      return failure;
    },
    next: (value) => {
      if (isClosed || failure !== undefined) return;
      held.push(value);
      notify();
    },
    error: (error) => {
      failure ??= { error };
      notify();
    },
    each: (project) =>
      new Observable((subscriber) => {
        let isBusy = false;
        let isGiving = false;

        const give = (): void => {
          // One loop gives everything: what comes while something is being given waits for its turn.
          if (isGiving) return;
          isGiving = true;
          while (!isBusy && !subscriber.closed && held.length > 0) {
            isBusy = true;
            subscriber.add(
              project(held.shift() as Value).subscribe({
                next: (result) => subscriber.next(result),
                error: (error: unknown) => subscriber.error(error),
                complete: () => {
                  isBusy = false;
                  give();
                },
              }),
            );
          }
          isGiving = false;
          if (!isBusy && held.length === 0 && failure !== undefined) subscriber.error(failure.error);
        };

        notify = give;
        subscriber.add(() => {
          if (notify === give) notify = () => undefined;
        });
        give();
      }),
    close: () => {
      isClosed = true;
      held.length = 0;
    },
  };
}
