import { expect } from 'chai';
import fc from 'fast-check';
import {
  retryAfterOf,
  backoff,
  checkBackoffPolicy,
  retryAfterMs,
} from '../../../lib/core/backoff/backoff.ts';

describe('backoff', () => {
  const most = { random: () => 1 };

  it('doubles the upper bound with each attempt, up to the maximum', () => {
    const waits = [1, 2, 3, 4, 5].map((attempt) => backoff(attempt, { initialMs: 100, maxMs: 500, ...most }));
    expect(waits).to.deep.equal([100, 200, 400, 500, 500]);
  });

  it('draws from the whole range below the bound', () => {
    expect(backoff(1, { initialMs: 100, random: () => 0 })).to.equal(0);
    expect(backoff(1, { initialMs: 100, random: () => 0.25 })).to.equal(25);
  });

  it('adds the jitter to Retry-After', () => {
    expect(backoff(1, { initialMs: 100, random: () => 0.5 }, 2000)).to.equal(2050);
  });

  it('stays between Retry-After and the bounds for any attempt', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.nat(600_000), (attempt, asked) => {
        expect(backoff(attempt, {}, asked)).to.be.within(asked, asked + 30_000);
      }),
    );
  });

  it('never waits longer than a timer can', () => {
    expect(backoff(1, {}, 1e12)).to.equal(2 ** 31 - 1);
    expect(backoff(60, { initialMs: 1e9, maxMs: Number.MAX_VALUE, random: () => 1 })).to.equal(2 ** 31 - 1);
  });

  it('names the option of a policy that cannot be used', () => {
    expect(() => checkBackoffPolicy({ initialMs: -1 })).to.throw(
      TypeError,
      /backoff\.initialMs .* at least 0.* -1/,
    );
    expect(() => checkBackoffPolicy({ maxMs: Number.NaN }, 'retry')).to.throw(TypeError, /retry\.maxMs/);
    expect(() => checkBackoffPolicy({ random: 0.5 as unknown as () => number })).to.throw(
      TypeError,
      /backoff\.random/,
    );
    expect(() => checkBackoffPolicy({ initialMs: 1, maxMs: 2, random: Math.random })).not.to.throw();
  });
});

describe('retryAfterMs', () => {
  const now = Date.UTC(2026, 0, 1);
  const cases: readonly [name: string, value: string | undefined, expected: number | undefined][] = [
    ['no header', undefined, undefined],
    ['seconds', '120', 120_000],
    ['seconds with space around', ' 3 ', 3000],
    ['zero', '0', 0],
    ['a date ahead', 'Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['a date that is over', 'Wed, 31 Dec 2025 23:59:00 GMT', 0],
    ['a negative number', '-5', undefined],
    ['a word', 'soon', undefined],
    ['nothing', '', undefined],
  ];
  for (const [name, value, expected] of cases) {
    it(`reads ${name}`, () => expect(retryAfterMs(value, now)).to.equal(expected));
  }
});

describe('askedWaitMs', () => {
  it('reads the wait off any error that carries one', () => {
    expect(retryAfterOf({ retryAfterMs: 5 })).to.equal(5);
    expect(retryAfterOf(Object.assign(new Error('busy'), { retryAfterMs: 0 }))).to.equal(0);
  });

  it('finds none in anything else', () => {
    for (const error of [
      undefined,
      null,
      'busy',
      {},
      { retryAfterMs: undefined },
      { retryAfterMs: -1 },
      { retryAfterMs: '5' },
    ]) {
      expect(retryAfterOf(error)).to.equal(undefined);
    }
  });
});
