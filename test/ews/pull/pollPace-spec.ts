import { expect } from 'chai';
import { MOST_AT_ONCE, nextPoll, type PollAnswer, type PollPace } from '../../../lib/ews/pull/pollPace.ts';

const INTERVAL_MS = 30_000;
const INTERVAL: PollPace = { waitMs: INTERVAL_MS, atOnce: 0 };

describe('nextPoll', () => {
  const cases: readonly [name: string, atOnce: number, answer: PollAnswer, expected: PollPace][] = [
    ['after the last events', 7, { moreEvents: false, events: 50 }, INTERVAL],
    ['after nothing', 0, { moreEvents: false, events: 0 }, INTERVAL],
    ['at once while there are more', 0, { moreEvents: true, events: 50 }, { waitMs: 0, atOnce: 1 }],
    ['at once after a single event', 7, { moreEvents: true, events: 1 }, { waitMs: 0, atOnce: 8 }],
    ['when more are said to follow none', 7, { moreEvents: true, events: 0 }, INTERVAL],
    [
      'at once for the last time',
      MOST_AT_ONCE - 1,
      { moreEvents: true, events: 1 },
      { waitMs: 0, atOnce: MOST_AT_ONCE },
    ],
    ['after too many in a row', MOST_AT_ONCE, { moreEvents: true, events: 50 }, INTERVAL],
  ];
  for (const [name, atOnce, answer, expected] of cases) {
    it(`asks ${expected.waitMs === 0 ? name : `after the interval ${name}`}`, () => {
      expect(nextPoll({ waitMs: 0, atOnce }, answer, INTERVAL_MS)).to.deep.equal(expected);
    });
  }
});
