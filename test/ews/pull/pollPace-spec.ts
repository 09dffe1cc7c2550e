import { expect } from 'chai';
import { MAX_IMMEDIATE, nextPace, type PollResult, type PollPace } from '../../../lib/ews/pull/pollPace.ts';

const INTERVAL_MS = 30_000;
const INTERVAL: PollPace = { waitMs: INTERVAL_MS, immediate: 0 };

describe('nextPace', () => {
  const cases: readonly [name: string, atOnce: number, answer: PollResult, expected: PollPace][] = [
    ['after the last events', 7, { moreEvents: false, events: 50 }, INTERVAL],
    ['after nothing', 0, { moreEvents: false, events: 0 }, INTERVAL],
    ['at once while there are more', 0, { moreEvents: true, events: 50 }, { waitMs: 0, immediate: 1 }],
    ['at once after a single event', 7, { moreEvents: true, events: 1 }, { waitMs: 0, immediate: 8 }],
    ['when more are said to follow none', 7, { moreEvents: true, events: 0 }, INTERVAL],
    [
      'at once for the last time',
      MAX_IMMEDIATE - 1,
      { moreEvents: true, events: 1 },
      { waitMs: 0, immediate: MAX_IMMEDIATE },
    ],
    ['after too many in a row', MAX_IMMEDIATE, { moreEvents: true, events: 50 }, INTERVAL],
  ];
  for (const [name, atOnce, answer, expected] of cases) {
    it(`asks ${expected.waitMs === 0 ? name : `after the interval ${name}`}`, () => {
      expect(nextPace({ waitMs: 0, immediate: atOnce }, answer, INTERVAL_MS)).to.deep.equal(expected);
    });
  }
});
