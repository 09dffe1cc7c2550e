import { expect } from 'chai';
import {
  AT_ONCE,
  type ChannelResponse,
  type ChannelPace,
  MOST_AT_ONCE,
  nextPace,
} from '../../../lib/ucwa/channel/channelPace.ts';

describe('nextPace', () => {
  const events: ChannelResponse = { events: 1, isGap: false, waitedMs: 0 };
  const nothing: ChannelResponse = { events: 0, isGap: false, waitedMs: 0 };
  const reset: ChannelResponse = { events: 0, isGap: true, waitedMs: 0 };
  const held = (answer: ChannelResponse): ChannelResponse => ({ ...answer, waitedMs: 1000 });
  const pace = (waitAs: number, idle: number, atOnce: number): ChannelPace => ({ waitAs, idle, atOnce });

  const cases: readonly [
    name: string,
    before: ChannelPace,
    answer: ChannelResponse,
    expected: ChannelPace,
  ][] = [
    ['asks at once after events', AT_ONCE, events, pace(0, 0, 1)],
    ['asks at once after an empty answer that was held', pace(2, 2, 0), held(nothing), AT_ONCE],
    ['asks at once after a reset that was held', pace(2, 3, 0), held(reset), AT_ONCE],
    ['asks at once after events that were held', pace(0, 0, MOST_AT_ONCE), held(events), AT_ONCE],
    ['waits after an empty answer', AT_ONCE, nothing, pace(1, 1, 0)],
    ['waits longer after each empty answer', pace(1, 1, 0), nothing, pace(2, 2, 0)],
    ['waits no longer after events', pace(2, 2, 0), events, pace(0, 0, 1)],
    ['asks at once after a first reset', AT_ONCE, reset, pace(0, 1, 1)],
    ['waits after a second reset in a row', pace(0, 1, 1), reset, pace(1, 2, 0)],
    ['waits longer after each reset', pace(1, 2, 0), reset, pace(2, 3, 0)],
    ['asks at once after a reset with events', pace(1, 2, 0), { ...reset, events: 1 }, pace(0, 0, 1)],
    ['asks at once for the last time', pace(0, 0, MOST_AT_ONCE - 1), events, pace(0, 0, MOST_AT_ONCE)],
    ['waits after too many in a row', pace(0, 0, MOST_AT_ONCE), events, pace(1, 0, 0)],
    ['waits after too many in a row with a reset', pace(0, 0, MOST_AT_ONCE), reset, pace(1, 1, 0)],
  ];
  for (const [name, before, answer, expected] of cases) {
    it(name, () => expect(nextPace(before, answer)).to.deep.equal(expected));
  }
});
