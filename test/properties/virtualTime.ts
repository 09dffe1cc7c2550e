import type { Subscription } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';

/** The virtual time of one program. */
export interface VirtualTime {
  /** Calls a function at this time, in milliseconds from the start. */
  at(ms: number, act: () => void): void;
  /** The current time. */
  readonly now: number;
  /** The number of timers that are set. */
  readonly timers: number;
  /**
   * Moves the clock forward, as after a sleep of the machine: overdue timers fire late and at once, in order.
   */
  leap(ms: number): void;
  /** Ends the time: later timers never fire. */
  stop(): void;
}

/** Runs a function in virtual time, and returns after the last timer. */
export function inVirtualTime(play: (time: VirtualTime) => void): void {
  const scheduler = new TestScheduler(() => undefined);
  const { actions } = scheduler;
  const schedule = scheduler.schedule.bind(scheduler) as Schedule;
  const tolerating: Schedule = (work, ...rest) => schedule(toleratingNothingDue(work), ...rest);
  scheduler.schedule = tolerating as typeof scheduler.schedule;
  scheduler.run(() =>
    play({
      at: (ms, act) => void scheduler.schedule(act, ms - scheduler.frame),
      get now() {
        return scheduler.frame;
      },
      get timers() {
        return actions.reduce((count, { closed }) => (closed ? count : count + 1), 0);
      },
      leap: (ms) => {
        const awake = scheduler.frame + ms;
        const due = actions as unknown as Late[];
        for (const action of due) {
          if (action.delay >= awake) continue;
          action.delay = awake;
        }
        due.sort((one, other) => one.delay - other.delay || one.index - other.index);
      },
      stop: () => {
        actions.length = 0;
      },
    }),
  );
}

/** An overdue action of the scheduler. */
interface Late {
  delay: number;
  readonly index: number;
}

type Work = (...given: unknown[]) => void;

type Schedule = (work: Work, ...rest: unknown[]) => Subscription;

/** The scheduler takes the oldest of several due actions, so the last one may find none left. */
function toleratingNothingDue(work: Work): Work {
  return function (this: unknown, ...given: unknown[]) {
    try {
      work.apply(this, given);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('Expected a due'))) throw error;
    }
  };
}
