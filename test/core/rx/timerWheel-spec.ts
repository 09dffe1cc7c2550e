import { expect } from 'chai';
import { asyncScheduler, timer } from 'rxjs';
import { timerWheel } from '../../../lib/core/rx/timerWheel.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

/** Timers, and a record of their expiry with the time. */
function recordingWheel(): {
  readonly recorded: string[];
  readonly set: (delayMs: number, name: string) => void;
  readonly clear: (delayMs: number, name: string) => void;
  readonly does: (name: string, work: () => void) => void;
} {
  const timers = timerWheel();
  const recorded: string[] = [];
  const work = new Map<string, () => void>();
  const dues = new Map<string, () => void>();
  const dueOf = (name: string): (() => void) => {
    const due =
      dues.get(name) ??
      ((): void => {
        recorded.push(`${asyncScheduler.now()} ${name}`);
        work.get(name)?.();
      });
    dues.set(name, due);
    return due;
  };
  return {
    recorded,
    set: (delayMs, name) => timers.set(delayMs, dueOf(name)),
    clear: (delayMs, name) => timers.clear(delayMs, dueOf(name)),
    does: (name, what) => work.set(name, what),
  };
}

describe('sharedTimers', () => {
  it('calls each when it is due, those that come later too', () => {
    const { recorded, set } = recordingWheel();
    inVirtualTime(() => {
      set(100, 'a');
      set(30, 'b');
      timer(20).subscribe(() => set(100, 'c'));
      timer(50).subscribe(() => set(30, 'd'));
    });
    expect(recorded).to.deep.equal(['30 b', '80 d', '100 a', '120 c']);
  });

  it('calls timers with the same time in the order of setting', () => {
    const { recorded, set } = recordingWheel();
    inVirtualTime(() => {
      ['a', 'b', 'c'].forEach((name) => set(100, name));
    });
    expect(recorded).to.deep.equal(['100 a', '100 b', '100 c']);
  });

  it('calls all that are due, except cleared ones', () => {
    const { recorded, set, clear } = recordingWheel();
    inVirtualTime(() => {
      set(100, 'a');
      timer(10).subscribe(() => set(100, 'b'));
      timer(20).subscribe(() => set(100, 'c'));
      timer(30).subscribe(() => {
        clear(100, 'a');
        clear(100, 'b');
        clear(100, 'unknown');
        clear(7, 'a');
      });
    });
    expect(recorded).to.deep.equal(['120 c']);
  });

  it('restarts the delay of a call that is set again', () => {
    const { recorded, set } = recordingWheel();
    inVirtualTime(() => {
      set(100, 'a');
      set(100, 'b');
      timer(50).subscribe(() => set(100, 'a'));
    });
    expect(recorded).to.deep.equal(['100 b', '150 a']);
  });

  it('calls one that sets itself again and again', () => {
    const { recorded, set, does } = recordingWheel();
    does('a', () => {
      if (recorded.length < 3) set(10, 'a');
    });
    does('b', () => {
      if (recorded.length < 3) set(0, 'b');
    });
    inVirtualTime(() => set(10, 'a'));
    expect(recorded.splice(0)).to.deep.equal(['10 a', '20 a', '30 a']);
    inVirtualTime(() => set(0, 'b'));
    expect(recorded.map((line) => line.slice(-1))).to.deep.equal(['b', 'b', 'b']);
  });

  it('does not call a timer that an earlier one cleared or reset', () => {
    const { recorded, set, clear, does } = recordingWheel();
    does('a', () => {
      clear(10, 'b');
      clear(10, 'c');
      set(10, 'c');
    });
    inVirtualTime(() => ['a', 'b', 'c'].forEach((name) => set(10, name)));
    expect(recorded).to.deep.equal(['10 a', '20 c']);
  });

  it('takes up what is set after all others were cleared', () => {
    const { recorded, set, clear, does } = recordingWheel();
    does('a', () => {
      clear(10, 'b');
      set(10, 'c');
    });
    inVirtualTime(() => {
      set(10, 'x');
      clear(10, 'x');
      timer(5).subscribe(() => {
        set(10, 'a');
        set(10, 'b');
      });
    });
    expect(recorded).to.deep.equal(['15 a', '25 c']);
  });
});
