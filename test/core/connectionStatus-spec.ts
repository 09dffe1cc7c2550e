import { expect } from 'chai';
import {
  conditionAfter,
  type ConnectionCondition,
  type ConnectionStatus,
  IDLE,
  type StatusInput,
  statusTracker,
} from '../../lib/core/connectionStatus.ts';
import { at, inVirtualTime } from '../support/virtualTime.ts';

const broken = { reason: 'network', error: 'down', attempt: 1, retryAt: new Date(500) } as const;
const again = { ...broken, attempt: 2, retryAt: new Date(900) };
const refused = { reason: 'server', error: 'busy', attempt: 1 } as const;

const begun = { type: 'stream', to: 'behind' } as const;
const caughtUp = { type: 'stream', from: 'behind', to: 'current' } as const;
const lost = { type: 'stream', from: 'current', to: 'behind' } as const;
const ended = { type: 'stream', from: 'current' } as const;
const gaveUp = { type: 'stream', from: 'behind' } as const;

const IDLE_STATUS: ConnectionStatus = { state: 'idle' };
const CONNECTING: ConnectionStatus = { state: 'connecting' };
const liveSince = (ms: number): ConnectionStatus => ({ state: 'live', since: new Date(ms) });
const waitingSince = (ms: number, failure: object): ConnectionStatus =>
  ({ state: 'waiting', since: new Date(ms), ...failure }) as ConnectionStatus;

/** The status after inputs at the times 1, 2, 3 and so on. */
const after = (...inputs: readonly StatusInput[]): ConnectionStatus =>
  inputs.reduce<ConnectionCondition>((before, input, index) => conditionAfter(before, input, index + 1), IDLE)
    .status;

describe('conditionAfter', () => {
  const failed = { type: 'failed', ...broken } as const;
  const failedAgain = { type: 'failed', ...again } as const;
  const busy = { type: 'failed', ...refused } as const;
  const succeeded = { type: 'succeeded' } as const;
  const closed = { type: 'closed' } as const;

  const cases: readonly [name: string, inputs: readonly StatusInput[], status: ConnectionStatus][] = [
    ['is idle first', [], IDLE_STATUS],
    ['connects with the first stream', [begun], CONNECTING],
    ['is live when the only stream is current', [begun, caughtUp], liveSince(2)],
    ['connects until all streams are current', [begun, begun, caughtUp], CONNECTING],
    ['stays live when another stream begins', [begun, caughtUp, begun], liveSince(2)],
    ['stays live when that stream is current', [begun, caughtUp, begun, caughtUp], liveSince(2)],
    [
      'stays live when one of two new streams is current',
      [begun, caughtUp, begun, begun, caughtUp],
      liveSince(2),
    ],
    ['connects again when a stream has missed changes', [begun, caughtUp, lost], CONNECTING],
    ['is live when the stream that is behind ends', [begun, begun, caughtUp, gaveUp], liveSince(4)],
    ['is idle after the last stream', [begun, caughtUp, ended], IDLE_STATUS],
    ['waits after a failure', [begun, failed], waitingSince(2, broken)],
    ['waits since the first failure', [begun, failed, failedAgain], waitingSince(2, again)],
    ['waits while other streams begin', [begun, failed, begun], waitingSince(2, broken)],
    ['connects after a success', [begun, failed, succeeded], CONNECTING],
    ['is live when the stream is current after a failure', [begun, failed, caughtUp], liveSince(3)],
    ['waits until all streams are current', [begun, begun, failed, caughtUp], waitingSince(3, broken)],
    ['waits without a network though all were current', [begun, caughtUp, failed], waitingSince(3, broken)],
    ['is live after such a failure and a success', [begun, caughtUp, failed, succeeded], liveSince(4)],
    ['stays live when the server refuses a single request', [begun, caughtUp, busy], liveSince(2)],
    ['waits if a stream falls behind after that', [begun, caughtUp, busy, lost], waitingSince(4, refused)],
    ['stays idle after a failed release', [failed], IDLE_STATUS],
    ['waits if a stream begins in an outage', [failed, begun], waitingSince(2, broken)],
    ['is idle when the stream that waits ends', [begun, failed, gaveUp], IDLE_STATUS],
    [
      'forgets the failure of a stream that ends',
      [begun, caughtUp, begun, busy, gaveUp, begun],
      liveSince(5),
    ],
    ['is closed at any time', [begun, failed, closed], { state: 'closed' }],
    ['stays closed', [closed, begun, failed, succeeded], { state: 'closed' }],
  ];
  for (const [name, inputs, status] of cases) {
    it(name, () => {
      expect(after(...inputs)).to.deep.equal(status);
    });
  }
});

describe('statusTracker', () => {
  const states = (tracker = statusTracker()): [typeof tracker, string[]] => {
    const seen: string[] = [];
    tracker.status$.subscribe({
      next: ({ state }) => seen.push(state),
      complete: () => seen.push('|'),
    });
    return [tracker, seen];
  };

  it('emits each change once, with the time of the scheduler', () => {
    inVirtualTime(() => {
      const tracker = statusTracker();
      const seen: ConnectionStatus[] = [];
      tracker.status$.subscribe((status) => seen.push(status));
      const report = tracker.begin();
      at(0.7, () => {
        report('current');
        report('current');
      });
      at(0.8, () => report(undefined));
      at(0.9, () => expect(seen).to.deep.equal([IDLE_STATUS, CONNECTING, liveSince(700), IDLE_STATUS]));
    });
  });

  it('emits the latest status to a late subscriber', () => {
    const tracker = statusTracker();
    tracker.begin();
    expect(states(tracker)[1]).to.deep.equal(['connecting']);
  });

  it('emits the same failure of many streams once', () => {
    const [tracker, seen] = states();
    const reports = [tracker.begin(), tracker.begin()];
    for (const report of reports) report('current');
    tracker.record({ type: 'failed', ...broken });
    for (const report of reports) report('behind');
    tracker.record({ type: 'failed', ...broken, error: 'the same' });
    expect(seen).to.deep.equal(['idle', 'connecting', 'live', 'waiting']);
  });

  it('ignores reports after the end of a stream', () => {
    const [tracker, seen] = states();
    const report = tracker.begin();
    report(undefined);
    report('current');
    expect(seen).to.deep.equal(['idle', 'connecting', 'idle']);
  });

  it('completes after closed', () => {
    const [tracker, seen] = states();
    tracker.record({ type: 'closed' });
    tracker.begin();
    expect(seen).to.deep.equal(['idle', 'closed', '|']);
    expect(states(tracker)[1]).to.deep.equal(['closed', '|']);
  });

  it('emits changes that a subscriber causes in order', () => {
    const tracker = statusTracker();
    const report = tracker.begin();
    tracker.status$.subscribe(({ state }) => {
      if (state === 'live') report(undefined);
    });
    const [, seen] = states(tracker);
    report('current');
    expect(seen).to.deep.equal(['connecting', 'live', 'idle']);
  });
});
