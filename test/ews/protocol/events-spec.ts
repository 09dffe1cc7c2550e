import { expect } from 'chai';
import { isRight } from 'fp-ts/lib/Either.js';
import { DecodeError } from '../../../lib/core/errors.ts';
import { decode } from '../../../lib/core/decode.ts';
import { EwsEvent } from '../../../lib/ews/protocol/events.ts';

const newMail = {
  type: 'newMail',
  subscriptionId: 'S1',
  timestamp: new Date(0),
  timestampText: '1970-01-01T00:00:00Z',
  item: { id: 'I1' },
};

describe('The codec of events', () => {
  const good: readonly [name: string, value: object][] = [
    ['an event of an item', newMail],
    [
      'an event with all that it can hold',
      { ...newMail, watermark: 'W', parentFolder: { id: 'F', changeKey: 'K' } },
    ],
    ['a status', { type: 'status', subscriptionId: 'S1' }],
    ['a gap', { type: 'gap', subscriptionId: 'S1', reason: 'answerLost', since: new Date(0) }],
  ];
  for (const [name, value] of good) {
    it(`should accept ${name}`, () => {
      expect(EwsEvent.is(value)).to.equal(true);
      expect(isRight(EwsEvent.decode(value))).to.equal(true);
      expect(EwsEvent.encode(value as EwsEvent)).to.deep.equal(value);
    });
  }

  const bad: readonly [name: string, value: unknown][] = [
    ['another type', { ...newMail, type: 'NewMailEvent' }],
    ['a text for the time', { ...newMail, timestamp: '1970-01-01T00:00:00Z' }],
    ['a time that is none', { ...newMail, timestamp: new Date('never') }],
    ['an item without an id', { ...newMail, item: {} }],
    ['another reason', { type: 'gap', subscriptionId: 'S1', reason: 'boredom' }],
    ['nothing', undefined],
  ];
  for (const [name, value] of bad) {
    it(`should refuse ${name}`, () => {
      expect(EwsEvent.is(value)).to.equal(false);
      expect(() => decode(EwsEvent, 'event')(value)).to.throw(DecodeError);
    });
  }
});
