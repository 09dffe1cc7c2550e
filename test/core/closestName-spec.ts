import { expect } from 'chai';
import { closestName } from '../../lib/core/options.ts';

describe('closestName', () => {
  const known = ['url', 'impersonate', 'instanceId', 'mediumSeconds', 'durationMinutes', 'retry'];
  const closest: readonly [given: string, closest: string | undefined][] = [
    ['impersonation', 'impersonate'],
    ['instanceID', 'instanceId'],
    ['medium', 'mediumSeconds'],
    ['duration', 'durationMinutes'],
    ['retries', 'retry'],
    ['RETRY', 'retry'],
    ['ulr', undefined],
    ['uri', 'url'],
    ['credentials', undefined],
    ['', undefined],
    ['impersonate'.repeat(1000), undefined],
  ];
  for (const [given, expected] of closest) {
    it(`finds ${expected ?? 'nothing'} for ${given.slice(0, 20) || 'an empty name'}`, () => {
      expect(closestName(given, known)).to.equal(expected);
    });
  }

  it('takes the first of two that are equally close', () => {
    expect(closestName('bd', ['ad', 'bc'])).to.equal('ad');
  });
});
