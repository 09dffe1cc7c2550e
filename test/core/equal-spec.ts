import { expect } from 'chai';
import { sameState } from '../../lib/core/equal.ts';

describe('sameState', () => {
  const at = (ms: number): Date => new Date(ms);
  const entry = {};
  const cases: readonly [name: string, one: unknown, other: unknown, same: boolean][] = [
    ['equal fields', { uri: 'sip:a', n: 1 }, { n: 1, uri: 'sip:a' }, true],
    ['another value', { uri: 'sip:a' }, { uri: 'sip:b' }, false],
    ['a field more', { uri: 'sip:a' }, { uri: 'sip:a', note: 'hi' }, false],
    ['a field less', { uri: 'sip:a', note: 'hi' }, { uri: 'sip:a' }, false],
    ['undefined in another field', { a: undefined, b: 1 }, { b: 1, c: undefined }, false],
    ['equal times', { lastActive: at(1) }, { lastActive: at(1) }, true],
    ['other times', { lastActive: at(1) }, { lastActive: at(2) }, false],
    ['two times that are none', { lastActive: at(NaN) }, { lastActive: at(NaN) }, true],
    ['a time and a number', { lastActive: at(1) }, { lastActive: 1 }, false],
    ['equal lists', { modalities: ['Audio', 'Video'] }, { modalities: ['Audio', 'Video'] }, true],
    ['lists in another order', { modalities: ['Audio', 'Video'] }, { modalities: ['Video', 'Audio'] }, false],
    ['a longer list', { modalities: ['Audio'] }, { modalities: ['Audio', 'Video'] }, false],
    ['the same object inside', { link: entry }, { link: entry }, true],
    ['objects inside that only look the same', { link: {} }, { link: {} }, false],
    ['a state and none', { uri: 'sip:a' }, undefined, false],
    ['none and a state', null, { uri: 'sip:a' }, false],
    ['equal words', 'Busy', 'Busy', true],
    ['other words', 'Busy', 'Away', false],
    ['a list and an object', [], {}, false],
  ];
  for (const [name, one, other, same] of cases) {
    it(`says ${same ? 'yes' : 'no'} to ${name}`, () => expect(sameState(one, other)).to.equal(same));
  }
});
