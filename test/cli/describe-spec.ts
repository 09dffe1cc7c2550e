import { expect } from 'chai';
import { describeError, describeOutcome } from '../../lib/cli/watch.ts';
import type { ReleaseOutcome } from '../../lib/core/lifecycle/releaseOutcome.ts';

const entry = { resource: 'thing', id: '/1', at: new Date(0) };

describe('describeOutcome', () => {
  const cases: readonly [outcome: ReleaseOutcome, line: string][] = [
    [{ ...entry, outcome: 'Released', attempts: 1 }, 'Released thing /1'],
    [{ ...entry, outcome: 'AlreadyGone', attempts: 2 }, 'AlreadyGone thing /1 after 2 attempts'],
    [
      { ...entry, outcome: 'EndedByServer', detail: { deletedEvent: 'seen' } },
      'EndedByServer thing /1, deletedEvent: seen',
    ],
    [
      { ...entry, outcome: 'Expired', attempts: 9, cause: new Error('no network') },
      'Expired thing /1 after 9 attempts: Error: no network',
    ],
    [{ ...entry, outcome: 'Failed', attempts: 1, cause: 'odd' }, 'Failed thing /1: odd'],
    [
      { ...entry, id: undefined, outcome: 'Unknown', cause: new TypeError('lost'), hint: 'It expires.' },
      'Unknown thing (id unknown): TypeError: lost It expires.',
    ],
  ];
  for (const [outcome, line] of cases) {
    it(`returns one line about ${outcome.outcome}`, () => expect(describeOutcome(outcome)).to.equal(line));
  }

  it('omits the query and the fragment of an href', () => {
    for (const id of ['/1?key=hush', '/1#hush', 'https://pool.contoso.com/1?key=hush'])
      expect(describeOutcome({ ...entry, id, outcome: 'Released', attempts: 1 }))
        .to.match(/^Released thing .*\/1$/)
        .and.not.contain('hush');
  });
});

describe('describeError', () => {
  it('returns name and message, or the thrown value', () => {
    expect(describeError(new RangeError('too far'))).to.equal('RangeError: too far');
    expect(describeError(7)).to.equal('7');
  });
});
