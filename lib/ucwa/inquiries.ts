import { type Observable, Subscription } from 'rxjs';
import { decide } from './decision.ts';
import type { Pause } from './pause.ts';

/** Questions to the server that are asked again and again. */
export interface Inquiries {
  /**
   * Asks by subscribing to `answer$`. Where the answer to the same question is outstanding, it may be older than
   * what made somebody ask: then it is asked once more behind it. One that waits after a failure is asked at once.
   */
  ask(key: string, answer$: Observable<unknown>): void;
  /** No longer wants an answer: cancels what is outstanding. */
  forget(key: string): void;
  /** Forgets all of them. */
  forgetAll(): void;
}

interface Inquiry {
  answer$: Observable<unknown>;
  stage: 'queued' | 'asked' | 'waits';
  isOutdated: boolean;
  failures: number;
  /** The request that is outstanding, or the wait after it. */
  running: Subscription;
}

/**
 * Asks each question at most once at a time, so that no answer can overtake a newer one, and `mostAtOnce` of them
 * altogether. What fails in a way that passes is asked again after a pause: an `answer$` tells of its failure itself.
 */
export function inquiries(mostAtOnce: number, pause: Pause): Inquiries {
  const open = new Map<string, Inquiry>();
  let queue: string[] = [];
  let outstanding = 0;

  const enqueue = (key: string, inquiry: Inquiry): void => {
    inquiry.stage = 'queued';
    inquiry.isOutdated = false;
    queue.push(key);
    next();
  };

  const settle = (key: string, inquiry: Inquiry, failure?: { readonly error: unknown }): void => {
    outstanding -= 1;
    inquiry.failures = failure === undefined ? 0 : inquiry.failures + 1;
    if (inquiry.isOutdated) {
      enqueue(key, inquiry);
      return;
    }
    if (failure !== undefined && decide('channel', failure.error, inquiry.failures) === 'retry') {
      inquiry.stage = 'waits';
      inquiry.running = pause(inquiry.failures, failure.error).subscribe(() => enqueue(key, inquiry));
    } else open.delete(key);
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
    if (inquiry.stage === 'asked') outstanding -= 1;
    if (inquiry.stage === 'queued') queue = queue.filter((one) => one !== key);
    inquiry.running.unsubscribe();
  };

  return {
    ask: (key, answer$) => {
      const known = open.get(key);
      if (known === undefined) {
        const inquiry: Inquiry = {
          ...{ answer$, stage: 'queued', isOutdated: false, failures: 0 },
          running: new Subscription(),
        };
        open.set(key, inquiry);
        enqueue(key, inquiry);
        return;
      }
      known.answer$ = answer$;
      if (known.stage === 'asked') known.isOutdated = true;
      if (known.stage === 'waits') {
        known.running.unsubscribe();
        enqueue(key, known);
      }
    },
    forget: (key) => {
      drop(key);
      next();
    },
    forgetAll: () => [...open.keys()].forEach(drop),
  };
}
