import { type Observable, Subscription } from 'rxjs';
import type { Pause } from '../../core/backoff/backoff.ts';
import { decide } from '../protocol/failures.ts';

/** Questions to the server that are asked again and again. */
export interface RequestQueue {
  /**
   * Asks by subscribing to `answer$`. Where the answer to the same question is outstanding, it may be older than
   * what made somebody ask: then it is asked once more behind it. One that waits after a failure is asked at once.
   */
  enqueue(key: string, answer$: Observable<unknown>): void;
  /** No longer wants an answer: cancels what is outstanding. */
  cancel(key: string): void;
  /** Forgets all of them. */
  forgetAll(): void;
}

interface Inquiry {
  answer$: Observable<unknown>;
  stage: 'queued' | 'asked' | 'waits';
  isOutdated: boolean;
  /** The request that is outstanding. */
  running: Subscription;
}

/**
 * Asks each question at most once at a time, so that no answer can overtake a newer one, and `mostAtOnce` of them
 * altogether. An `answer$` reports its failure itself.
 *
 * Questions whose failure is transient share one growing wait. One of them at a time is asked after it, each in its
 * turn; when that one is answered, all are asked.
 */
export function requestQueue(mostAtOnce: number, pause: Pause): RequestQueue {
  const open = new Map<string, Inquiry>();
  /** Those that failed, in the order in which they are asked again. */
  const waiting = new Set<string>();
  let queue: string[] = [];
  let outstanding = 0;
  /** The one that speaks for all that wait, while it is asked. */
  let probe: string | undefined;
  /** Probes that failed in a row, and the failure before them. */
  let failures = 0;
  let wait = Subscription.EMPTY;

  const enqueue = (key: string, inquiry: Inquiry): void => {
    inquiry.stage = 'queued';
    inquiry.isOutdated = false;
    waiting.delete(key);
    queue.push(key);
  };

  const askAllThatWait = (): void => {
    failures = 0;
    wait.unsubscribe();
    for (const key of [...waiting]) {
      const inquiry = open.get(key);
      if (inquiry !== undefined) enqueue(key, inquiry);
    }
  };

  const askOneThatWaits = (): void => {
    const [key] = waiting;
    const inquiry = key === undefined ? undefined : open.get(key);
    if (key === undefined || inquiry === undefined) return;
    probe = key;
    enqueue(key, inquiry);
    next();
  };

  const waitForProbe = (error?: unknown): void => {
    if (waiting.size === 0 || probe !== undefined || !wait.closed) return;
    const waited = (wait = new Subscription());
    waited.add(
      pause(Math.max(1, failures), error).subscribe(() => {
        waited.unsubscribe();
        askOneThatWaits();
      }),
    );
  };

  const settle = (key: string, inquiry: Inquiry, failure?: { readonly error: unknown }): void => {
    outstanding -= 1;
    const isProbe = key === probe;
    if (isProbe) probe = undefined;
    // One that waits for an answer is never given up: only its removal is as patient.
    const isTransient = failure !== undefined && decide('release', failure.error, 1) === 'retry';
    if (isTransient) failures = isProbe ? failures + 1 : Math.max(1, failures);
    else if (waiting.size === 0 && probe === undefined) failures = 0;
    if (inquiry.isOutdated) enqueue(key, inquiry);
    else if (isTransient) {
      inquiry.stage = 'waits';
      waiting.add(key);
    } else open.delete(key);
    if (isProbe && !isTransient) askAllThatWait();
    else waitForProbe(failure?.error);
    next();
  };

  const start = (key: string, inquiry: Inquiry): void => {
    outstanding += 1;
    inquiry.stage = 'asked';
    // It may be answered, and forgotten, before `subscribe` returns.
    const running = new Subscription();
    inquiry.running = running;
    running.add(
      inquiry.answer$.subscribe({
        error: (error: unknown) => {
          if (!running.closed) settle(key, inquiry, { error });
        },
        complete: () => {
          if (!running.closed) settle(key, inquiry);
        },
      }),
    );
  };

  const next = (): void => {
    while (outstanding < mostAtOnce) {
      const key = queue.shift();
      if (key === undefined) return;
      const inquiry = open.get(key);
      if (inquiry !== undefined) start(key, inquiry);
    }
  };

  const drop = (key: string): void => {
    const inquiry = open.get(key);
    if (inquiry === undefined) return;
    open.delete(key);
    waiting.delete(key);
    if (inquiry.stage === 'asked') outstanding -= 1;
    if (inquiry.stage === 'queued') queue = queue.filter((one) => one !== key);
    inquiry.running.unsubscribe();
    if (key === probe) probe = undefined;
    if (waiting.size === 0) wait.unsubscribe();
  };

  return {
    enqueue: (key, answer$) => {
      const known = open.get(key);
      if (known === undefined) {
        const inquiry: Inquiry = {
          ...{ answer$, stage: 'queued', isOutdated: false },
          running: Subscription.EMPTY,
        };
        open.set(key, inquiry);
        enqueue(key, inquiry);
      } else {
        known.answer$ = answer$;
        if (known.stage === 'asked') known.isOutdated = true;
        if (known.stage === 'waits') enqueue(key, known);
      }
      next();
    },
    cancel: (key) => {
      drop(key);
      waitForProbe();
      next();
    },
    forgetAll: () => [...open.keys()].forEach(drop),
  };
}
