import { expect } from 'chai';
import { timer } from 'rxjs';
import { TestScheduler, type RunHelpers } from 'rxjs/testing';

export type { RunHelpers };

/**
 * Runs a spec in virtual time: all that it starts is over when this returns, so that absences can be asserted
 * behind it.
 */
export function inVirtualTime<Result>(spec: (helpers: RunHelpers) => Result): Result {
  const scheduler = new TestScheduler((actual, expected) => {
    expect(actual).to.deep.equal(expected);
  });
  return scheduler.run(spec);
}

/** Does something at a second of virtual time. */
export function at(second: number, action: () => void): void {
  timer(second * 1000).subscribe(action);
}
