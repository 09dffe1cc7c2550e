import { expect } from 'chai';
import { sharedValues } from '../../lib/core/sharedValues.ts';

describe('sharedValues', () => {
  it('creates a value once for each function', () => {
    const shared = sharedValues();
    const list = (first: number): number[] => [first];
    const set = (first: number): Set<number> => new Set([first]);
    expect(shared(list, 1)).to.equal(shared(list, 2)).and.deep.equal([1]);
    expect(shared(set, 3))
      .to.equal(shared(set, 4))
      .and.deep.equal(new Set([3]));
  });

  it('creates undefined once', () => {
    let calls = 0;
    const shared = sharedValues();
    const nothing = (): undefined => void (calls += 1);
    shared(nothing, 1);
    shared(nothing, 1);
    expect(calls).to.equal(1);
  });

  it('creates different values for different owners', () => {
    const list = (): number[] => [];
    expect(sharedValues()(list, 1)).to.not.equal(sharedValues()(list, 1));
  });
});
