import { Observable } from 'rxjs';

/**
 * Keeps what comes until somebody takes it. It has one taker at a time. It is a record for the functions of this
 * file: every live subscription has one, and a closure for each would take ten times as much.
 */
export interface EventBuffer<Value> {
  held: Value[] | undefined;
  /** The error that came, if one did. */
  failure: { readonly error: unknown } | undefined;
  isClosed: boolean;
  /** Tells the taker that there is something. */
  notify: (() => void) | undefined;
}

/** Takes what comes in order. */
interface Consumer<Value> {
  /** Takes a value. The next is given when the Observable that it returned has completed, or at once. */
  take(value: Value): Observable<unknown> | undefined;
  /** Told of the error, at its place, and of that of such an Observable. It ends the taking. */
  failed(error: unknown): void;
}

/** Creates an empty inbox. */
export function eventBuffer<Value>(): EventBuffer<Value> {
  return { held: undefined, failure: undefined, isClosed: false, notify: undefined };
}

/** Puts a value in. */
export function push<Value>(box: EventBuffer<Value>, value: Value): void {
  if (box.isClosed || box.failure !== undefined) return;
  (box.held ??= []).push(value);
  box.notify?.();
}

/** Puts an error in; nothing comes after it. */
export function fail<Value>(box: EventBuffer<Value>, error: unknown): void {
  box.failure ??= { error };
  box.notify?.();
}

/** Keeps nothing any more. */
export function close<Value>(box: EventBuffer<Value>): void {
  box.isClosed = true;
  box.held = undefined;
}

/**
 * Returns an Observable that gives its subscriber, the taker, what came and what comes. It emits nothing. What is
 * not taken when it is unsubscribed from is kept for the next one.
 */
export function consume<Value>(box: EventBuffer<Value>, taker: Consumer<Value>): Observable<never> {
  return new Observable((subscriber) => {
    let isBusy = false;
    let isGiving = false;

    const give = (): void => {
      // One loop gives everything: what comes while something is being given waits for its turn.
      if (isGiving) return;
      isGiving = true;
      while (!isBusy && !subscriber.closed && box.held !== undefined) {
        const value = box.held.shift() as Value;
        if (box.held.length === 0) box.held = undefined;
        const until$ = taker.take(value);
        if (until$ === undefined) continue;
        isBusy = true;
        subscriber.add(
          until$.subscribe({
            error: (error: unknown) => taker.failed(error),
            complete: () => {
              isBusy = false;
              give();
            },
          }),
        );
      }
      isGiving = false;
      if (!isBusy && !subscriber.closed && box.held === undefined && box.failure !== undefined) {
        taker.failed(box.failure.error);
      }
    };

    box.notify = give;
    subscriber.add(() => {
      if (box.notify === give) box.notify = undefined;
    });
    give();
  });
}
