import { expect } from 'chai';
import { differenceOf, patched } from '../../lib/tabs/mapPatch.ts';

const [one, two, three] = [{}, {}, {}];

describe('differenceOf and patched', () => {
  for (const [what, before, after, set, deleted] of [
    ['nothing', [['a', one]], [['a', one]], [], []],
    ['a new value', [['a', one]], [['a', two]], [['a', two]], []],
    ['an equal value that is another object', [['a', one]], [['a', {}]], [['a', {}]], []],
    [
      'a new key',
      [['a', one]],
      [
        ['a', one],
        ['b', two],
      ],
      [['b', two]],
      [],
    ],
    [
      'a key that is gone',
      [
        ['a', one],
        ['b', two],
      ],
      [['b', two]],
      [],
      ['a'],
    ],
    [
      'all',
      [['a', one]],
      [
        ['b', two],
        ['c', three],
      ],
      [
        ['b', two],
        ['c', three],
      ],
      ['a'],
    ],
  ] as const) {
    it(`restore a Map that differs in ${what}`, () => {
      const [old, now] = [new Map<unknown, unknown>(before), new Map<unknown, unknown>(after)];
      const difference = differenceOf(old, now)!;
      expect(difference).to.deep.equal({ set, deleted });
      const restored = patched(old, difference);
      expect([...restored]).to.deep.equal([...now]);
      for (const [key, value] of restored) expect(value).to.equal(now.get(key));
    });
  }

  for (const [what, before, after] of [
    [
      'another order of the keys',
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      new Map([
        ['b', 2],
        ['a', 1],
      ]),
    ],
    ['no earlier value', undefined, new Map()],
    ['a value that is no Map', new Map(), {}],
  ] as const) {
    it(`has no difference for ${what}`, () => {
      expect(differenceOf(before, after)).to.equal(undefined);
    });
  }
});
