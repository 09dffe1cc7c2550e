import { noop, type Observable, Subscription } from 'rxjs';
import type { Pause } from '../../core/backoff/backoff.ts';
import { decide } from '../protocol/failures.ts';

/** Repeatable requests by key. */
export interface RequestQueue {
  /**
   * Sends a request by subscribing to `response$`, or sends the one that waits after a failure.
   *
   * If a request with this key is in flight, its response may already be stale: it is repeated once when it
   * completes.
   */
  enqueue(key: string, response$: Observable<unknown>): void;
  /** Cancels a request. */
  cancel(key: string): void;
  cancelAll(): void;
  /** Whether it has no request. */
  readonly isEmpty: boolean;
}

interface Entry {
  response$: Observable<unknown>;
  stage: 'queued' | 'inFlight' | 'failed';
  /** Whether to repeat the request that is in flight. */
  isStale: boolean;
  running: Subscription;
}

/**
 * Creates a queue with at most one request per key in flight, and `concurrency` altogether.
 *
 * A `response$` handles its own errors. Requests with transient failures share one growing wait. After it one
 * of them is sent, each in turn; when it succeeds, all are sent.
 *
 * @param changed Called when a request waits after a failure, and when the last request has ended.
 */
export function requestQueue(
  concurrency: number,
  pause: Pause,
  changed: (condition: 'failed' | 'empty') => void = noop,
): RequestQueue {
  const entries = new Map<string, Entry>();
  /** Keys of failed requests, in the order in which they are sent again. */
  const failed = new Set<string>();
  let queue: string[] = [];
  let inFlight = 0;
  /** The key of the one failed request that is being sent again. */
  let probe: string | undefined;
  /** Probes that failed in a row, and the failure before them. */
  let failures = 0;
  let wait = Subscription.EMPTY;

  const append = (key: string, entry: Entry): void => {
    entry.stage = 'queued';
    entry.isStale = false;
    failed.delete(key);
    queue.push(key);
  };

  const resendAll = (): void => {
    failures = 0;
    wait.unsubscribe();
    for (const key of [...failed]) {
      const entry = entries.get(key);
      if (entry !== undefined) append(key, entry);
    }
  };

  const sendProbe = (): void => {
    const [key] = failed;
    const entry = key === undefined ? undefined : entries.get(key);
    if (key === undefined || entry === undefined) return;
    probe = key;
    append(key, entry);
    sendNext();
  };

  const scheduleProbe = (error?: unknown): void => {
    if (failed.size === 0 || probe !== undefined || !wait.closed) return;
    const waiting = (wait = new Subscription());
    waiting.add(
      pause(Math.max(1, failures), error).subscribe(() => {
        waiting.unsubscribe();
        sendProbe();
      }),
    );
  };

  const settle = (key: string, entry: Entry, failure?: { readonly error: unknown }): void => {
    inFlight -= 1;
    const isProbe = key === probe;
    if (isProbe) probe = undefined;
    // A state is requested as patiently as a release: until it succeeds.
    const isTransient = failure !== undefined && decide('release', failure.error, 1) === 'retry';
    if (isTransient) failures = isProbe ? failures + 1 : Math.max(1, failures);
    else if (failed.size === 0 && probe === undefined) failures = 0;
    if (entry.isStale) append(key, entry);
    else if (isTransient) {
      entry.stage = 'failed';
      failed.add(key);
    } else entries.delete(key);
    if (isProbe && !isTransient) resendAll();
    else scheduleProbe(failure?.error);
    if (isTransient) changed('failed');
    else if (entries.size === 0) changed('empty');
    sendNext();
  };

  const send = (key: string, entry: Entry): void => {
    inFlight += 1;
    entry.stage = 'inFlight';
    // The request may complete, or be canceled, before `subscribe` returns.
    const running = new Subscription();
    entry.running = running;
    running.add(
      entry.response$.subscribe({
        error: (error: unknown) => {
          if (!running.closed) settle(key, entry, { error });
        },
        complete: () => {
          if (!running.closed) settle(key, entry);
        },
      }),
    );
  };

  const sendNext = (): void => {
    while (inFlight < concurrency) {
      const key = queue.shift();
      if (key === undefined) return;
      const entry = entries.get(key);
      if (entry !== undefined) send(key, entry);
    }
  };

  const remove = (key: string): void => {
    const entry = entries.get(key);
    if (entry === undefined) return;
    entries.delete(key);
    failed.delete(key);
    if (entry.stage === 'inFlight') inFlight -= 1;
    if (entry.stage === 'queued') queue = queue.filter((one) => one !== key);
    entry.running.unsubscribe();
    if (key === probe) probe = undefined;
    if (failed.size === 0) wait.unsubscribe();
  };

  return {
    enqueue: (key, response$) => {
      const known = entries.get(key);
      if (known === undefined) {
        const entry: Entry = {
          ...{ response$, stage: 'queued', isStale: false },
          running: Subscription.EMPTY,
        };
        entries.set(key, entry);
        append(key, entry);
      } else {
        known.response$ = response$;
        if (known.stage === 'inFlight') known.isStale = true;
        if (known.stage === 'failed') append(key, known);
      }
      sendNext();
    },
    cancel: (key) => {
      remove(key);
      scheduleProbe();
      sendNext();
      if (entries.size === 0) changed('empty');
    },
    cancelAll: () => [...entries.keys()].forEach(remove),
    get isEmpty() {
      return entries.size === 0;
    },
  };
}
