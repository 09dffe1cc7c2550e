import { Observable, type Subscriber } from 'rxjs';

/**
 * Values that wait for a consumer, in order. There is one consumer at a time.
 *
 * A record and functions: every live subscription has one, and closures would take ten times the memory.
 */
export interface EventBuffer<Value> {
  pending: Value[] | undefined;
  failure: { readonly error: unknown } | undefined;
  isClosed: boolean;
  /** Resumes the consumer. */
  notify: (() => void) | undefined;
}

/** Takes values out of an {@link EventBuffer}. */
interface Consumer<Value> {
  /** Processes a value. If it returns an Observable, the next value waits until that completes. */
  take(value: Value): Observable<unknown> | undefined;
  /** Receives the error of such an Observable, or that of the buffer once it is empty. Nothing follows. */
  failed(error: unknown): void;
}

/** Creates an empty buffer. */
export function eventBuffer<Value>(): EventBuffer<Value> {
  return { pending: undefined, failure: undefined, isClosed: false, notify: undefined };
}

/** Appends a value. */
export function push<Value>(buffer: EventBuffer<Value>, value: Value): void {
  if (buffer.isClosed || buffer.failure !== undefined) return;
  (buffer.pending ??= []).push(value);
  buffer.notify?.();
}

/** Ends the buffer with an error, after the values that wait. */
export function fail<Value>(buffer: EventBuffer<Value>, error: unknown): void {
  buffer.failure ??= { error };
  buffer.notify?.();
}

/** Drops the values that wait, and all later ones. */
export function close<Value>(buffer: EventBuffer<Value>): void {
  buffer.isClosed = true;
  buffer.pending = undefined;
}

/**
 * Returns an Observable that passes the values to a consumer while it is subscribed to. It emits nothing.
 * Values that were not taken wait for the next consumer.
 */
export function consume<Value>(buffer: EventBuffer<Value>, consumer: Consumer<Value>): Observable<never> {
  return new Observable((subscriber) => {
    let isBusy = false;
    let isDelivering = false;

    const deliver = (): void => {
      // One loop delivers all values, so a value that arrives during delivery cannot overtake.
      if (isDelivering) return;
      isDelivering = true;
      while (!isBusy && !subscriber.closed && buffer.pending !== undefined) {
        const value = buffer.pending.shift() as Value;
        if (buffer.pending.length === 0) buffer.pending = undefined;
        const until$ = consumer.take(value);
        if (until$ === undefined) continue;
        isBusy = true;
        subscriber.add(
          until$.subscribe({
            error: (error: unknown) => consumer.failed(error),
            complete: () => {
              isBusy = false;
              deliver();
            },
          }),
        );
      }
      isDelivering = false;
      const isEmpty = !isBusy && !subscriber.closed && buffer.pending === undefined;
      if (isEmpty && buffer.failure !== undefined) consumer.failed(buffer.failure.error);
    };

    attach(buffer, subscriber, deliver);
  });
}

/** Returns an Observable that errors with the buffer's error and takes no values. */
export function failureOf<Value>(buffer: EventBuffer<Value>): Observable<never> {
  return new Observable((subscriber) =>
    attach(buffer, subscriber, () => {
      if (buffer.failure !== undefined) subscriber.error(buffer.failure.error);
    }),
  );
}

function attach<Value>(buffer: EventBuffer<Value>, subscriber: Subscriber<never>, notify: () => void): void {
  buffer.notify = notify;
  subscriber.add(() => {
    if (buffer.notify === notify) buffer.notify = undefined;
  });
  notify();
}
