import { expect } from 'chai';
import { timer } from 'rxjs';
import { TestScheduler, type RunHelpers } from 'rxjs/testing';

export type { RunHelpers };

/**
 * Runs a function in virtual time, and returns its result.
 *
 * All timers have run when this returns, so a spec can assert absences afterwards.
 */
export function inVirtualTime<Result>(spec: (helpers: RunHelpers) => Result): Result {
  const scheduler = new TestScheduler((actual, expected) => {
    expect(actual).to.deep.equal(expected);
  });
  return scheduler.run(spec);
}

/** Calls a function at a second of virtual time. */
export function at(second: number, action: () => void): void {
  timer(second * 1000).subscribe(action);
}
