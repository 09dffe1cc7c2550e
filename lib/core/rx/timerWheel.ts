import { asyncScheduler, type Subscription, timer } from 'rxjs';

/**
 * Many timers with few different delays: one RxJS timer per delay, because a timer takes a kilobyte.
 */
export interface TimerWheel {
  /** Calls `due` once, so many milliseconds from now; restarts its delay if it was set. It must not throw. */
  set(delayMs: number, due: () => void): void;
  /** Cancels the call. */
  clear(delayMs: number, due: () => void): void;
}

/** The calls with one delay. */
interface Waiting {
  /** The time of each call, in milliseconds of the scheduler's clock, in order. */
  readonly dues: Map<() => void, number>;
  /** Undefined while calls are made. */
  timer: Subscription | undefined;
}

/** Creates the timers of one connection. */
export function timerWheel(): TimerWheel {
  const byDelay = new Map<number, Waiting>();

  const wait = (delayMs: number, waiting: Waiting): void => {
    const [first] = waiting.dues.values();
    if (first === undefined) byDelay.delete(delayMs);
    else {
      waiting.timer = timer(first - asyncScheduler.now()).subscribe(() => {
        waiting.timer = undefined;
        // The clock may have been set back in the meantime.
        callThose(waiting.dues, Math.max(first, asyncScheduler.now()));
        wait(delayMs, waiting);
      });
    }
  };

  return {
    set: (delayMs, due) => {
      const dueAt = asyncScheduler.now() + delayMs;
      const known = byDelay.get(delayMs);
      if (known === undefined) {
        const waiting: Waiting = { dues: new Map([[due, dueAt]]), timer: undefined };
        byDelay.set(delayMs, waiting);
        wait(delayMs, waiting);
      } else {
        known.dues.delete(due);
        known.dues.set(due, dueAt);
      }
    },
    clear: (delayMs, due) => {
      const waiting = byDelay.get(delayMs);
      if (waiting?.dues.delete(due) !== true || waiting.dues.size > 0 || waiting.timer === undefined) return;
      waiting.timer.unsubscribe();
      byDelay.delete(delayMs);
    },
  };
}

function callThose(dues: Map<() => void, number>, now: number): void {
  const ready = [];
  for (const [due, dueAt] of dues) {
    if (dueAt > now) break;
    ready.push(due);
  }
  for (const due of ready) {
    // An earlier call may have cleared or set it.
    if ((dues.get(due) ?? Infinity) > now) continue;
    dues.delete(due);
    due();
  }
}
