import { expect } from 'chai';
import type { EwsDecision } from '../../../lib/ews/protocol/failures.ts';
import {
  countShortLives,
  gapEvent,
  initialProgress,
  type ProgressInput,
  type StreamProgress,
  transition,
} from '../../../lib/ews/subscription/progress.ts';

const NEW = initialProgress(undefined);
/** A stream that has read events up to W1, from a subscription that is 5 seconds old. */
const RUNNING: StreamProgress = {
  operation: 'GetEvents',
  watermark: 'W1',
  gap: undefined,
  completeUntil: 1000,
  failures: 2,
  shortLives: 3,
  subscribedAt: 15_000,
  hasSubscribed: true,
  hasResponded: true,
  isCurrent: true,
};

const WITHOUT_WATERMARK: StreamProgress = { ...RUNNING, watermark: undefined };

const subscribed = {
  type: 'subscribed',
  operation: 'GetEvents',
  requestedAt: 19_000,
  now: 20_000,
  watermark: 'W2',
} as const;
const polled = { type: 'polled', requestedAt: 19_000, watermark: 'W2', moreEvents: false } as const;
const notified = { type: 'notified', now: 20_000, watermark: 'W2', moreEvents: false } as const;
const failed = (decision: EwsDecision, canResume = true, now = 20_000): ProgressInput => ({
  type: 'failed',
  now,
  decision,
  canResume,
});
const LOST: EwsDecision = { action: 'resubscribe', gap: 'subscriptionLost' };
const afterLoss = { failures: 3, shortLives: 4, subscribedAt: undefined, isCurrent: false };

type Row = readonly [
  name: string,
  before: StreamProgress,
  input: ProgressInput,
  changes: Partial<StreamProgress>,
];

const rows: readonly Row[] = [
  [
    'forgets the responses of the last subscription before the next one',
    RUNNING,
    { type: 'subscribing' },
    { operation: 'Subscribe', hasResponded: false, isCurrent: false },
  ],
  [
    'starts at the watermark and the time of the first Subscribe',
    NEW,
    subscribed,
    {
      operation: 'GetEvents',
      watermark: 'W2',
      completeUntil: 19_000,
      hasSubscribed: true,
      subscribedAt: 20_000,
    },
  ],
  [
    'keeps the watermark that it resumes from, and ends the gap',
    { ...RUNNING, gap: 'connectionLost' },
    subscribed,
    { gap: undefined, subscribedAt: 20_000 },
  ],
  [
    'moves the watermark with events of an incomplete response, but not the time',
    RUNNING,
    { type: 'eventsArrived', watermark: 'W2' },
    { watermark: 'W2' },
  ],
  [
    'keeps the watermark if the events have none',
    RUNNING,
    { type: 'eventsArrived', watermark: undefined },
    {},
  ],
  [
    'moves the watermark and the time with a complete response',
    { ...RUNNING, hasResponded: false, isCurrent: false },
    polled,
    { watermark: 'W2', completeUntil: 19_000, failures: 0, hasResponded: true, isCurrent: true },
  ],
  [
    'keeps the time if there are more events',
    RUNNING,
    { ...polled, moreEvents: true },
    { watermark: 'W2', failures: 0 },
  ],
  [
    'keeps the watermark if a response has none',
    RUNNING,
    { ...polled, watermark: undefined },
    { completeUntil: 19_000, failures: 0 },
  ],
  [
    'is complete until ten seconds before events that the server sends',
    RUNNING,
    notified,
    { watermark: 'W2', completeUntil: 10_000, failures: 0 },
  ],
  [
    'keeps a later time if the clock was set back',
    { ...RUNNING, completeUntil: 15_000 },
    notified,
    { watermark: 'W2', failures: 0 },
  ],
  [
    'keeps the time if the server has more events to send',
    RUNNING,
    { ...notified, moreEvents: true },
    { watermark: 'W2', failures: 0 },
  ],
  ['is current when its request is served', NEW, { type: 'served' }, { isCurrent: true }],
  ['is behind when its request has failed', RUNNING, { type: 'disconnected' }, { isCurrent: false }],
  ['counts a failed poll', RUNNING, { type: 'pollFailed' }, { failures: 3, isCurrent: false }],
  [
    'restarts the count of failures after a refusal',
    RUNNING,
    { type: 'refused' },
    { failures: 0, isCurrent: false },
  ],
  [
    'has a gap after a lost response',
    RUNNING,
    { type: 'responseLost' },
    { gap: 'responseLost', isCurrent: false },
  ],
  [
    'keeps the first reason of a gap',
    { ...RUNNING, gap: 'connectionLost' },
    { type: 'responseLost' },
    { gap: 'connectionLost', isCurrent: false },
  ],
  ['keeps the watermark after a transient failure', RUNNING, failed({ action: 'retry' }), afterLoss],
  ['keeps the watermark after a loss if it can resume', RUNNING, failed(LOST), afterLoss],
  [
    'starts from now after a loss if it cannot resume',
    RUNNING,
    failed(LOST, false),
    { ...afterLoss, watermark: undefined, gap: 'subscriptionLost' },
  ],
  [
    'starts from now after a loss if there is no watermark',
    WITHOUT_WATERMARK,
    failed(LOST),
    { ...afterLoss, gap: 'subscriptionLost' },
  ],
  [
    'starts from now if the watermark is refused',
    RUNNING,
    failed({ action: 'resubscribeFromNow', gap: 'watermarkRefused' }),
    { ...afterLoss, watermark: undefined, gap: 'watermarkRefused' },
  ],
  [
    'starts from now after a move of the mailbox',
    RUNNING,
    failed({ action: 'resubscribeDelayed', gap: 'mailboxMoved' }),
    { ...afterLoss, watermark: undefined, gap: 'mailboxMoved' },
  ],
  [
    'has no gap if it fails before it has started',
    NEW,
    failed({ action: 'resubscribeFromNow', gap: 'watermarkRefused' }),
    { failures: 1 },
  ],
  [
    'has a gap if its first watermark is refused',
    initialProgress('W0'),
    failed({ action: 'resubscribeFromNow', gap: 'watermarkRefused' }),
    { failures: 1, watermark: undefined, gap: 'watermarkRefused' },
  ],
  [
    'restarts the count of short lives after a long one',
    RUNNING,
    failed(LOST, true, 25_000),
    { ...afterLoss, shortLives: 1 },
  ],
  [
    'starts from now at another server',
    RUNNING,
    { type: 'moved' },
    { watermark: undefined, gap: 'mailboxMoved', isCurrent: false },
  ],
];

describe('The progress of a stream', () => {
  for (const [name, before, input, changes] of rows) {
    it(name, () => {
      const copy = structuredClone(before);
      expect(transition(before, input)).to.deep.equal({ ...before, ...changes });
      expect(before).to.deep.equal(copy);
    });
  }
});

describe('gapEvent', () => {
  it('has the time until which nothing is missing, if it is known', () => {
    const gap = { type: 'gap', subscriptionId: 'S1', reason: 'eventsMissed' };
    expect(gapEvent(RUNNING, 'S1', 'eventsMissed')).to.deep.equal({ ...gap, since: new Date(1000) });
    expect(gapEvent(NEW, 'S1', 'eventsMissed')).to.deep.equal(gap);
  });
});

describe('countShortLives', () => {
  const cases: readonly [name: string, before: number, lastedMs: number, expected: number][] = [
    ['counts the first end', 0, 0, 1],
    ['counts one more after a short life', 3, 9_999, 4],
    ['restarts after a life of ten seconds', 3, 10_000, 1],
    ['counts one more if the clock was set back', 3, -1, 4],
  ];
  for (const [name, before, lastedMs, expected] of cases) {
    it(name, () => expect(countShortLives(before, lastedMs)).to.equal(expected));
  }
});
