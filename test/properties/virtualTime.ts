import type { Subscription } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';

/** The virtual time of one program. */
export interface VirtualTime {
  /** Does something at this time, in milliseconds from the start. */
  at(ms: number, act: () => void): void;
  /** The time now. */
  readonly now: number;
  /** How many timers are set. */
  readonly timers: number;
  /**
   * Lets the clock leap ahead, as when the machine has slept: what was due meanwhile comes then, late and all at
   * once, in the order in which it was begun.
   */
  leap(ms: number): void;
  /** Ends the time: nothing that was due later comes any more. */
  stop(): void;
}

/** Plays in virtual time; when this returns, all of it is over. */
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

/** What is due, as the scheduler keeps it. */
interface Late {
  delay: number;
  readonly index: number;
}

type Work = (...given: unknown[]) => void;

type Schedule = (work: Work, ...rest: unknown[]) => Subscription;

/** Of several that are due the scheduler takes the oldest, whosever turn it is: there may be none left for the last. */
function toleratingNothingDue(work: Work): Work {
  return function (this: unknown, ...given: unknown[]) {
    try {
      work.apply(this, given);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('Expected a due'))) throw error;
    }
  };
}
