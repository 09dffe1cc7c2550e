import { expect } from 'chai';
import { leftBy, leftoversResult } from '../../../lib/cli/doctor/leftovers.ts';
import type { ReleaseOutcome } from '../../../lib/core/lifecycle/releaseOutcome.ts';

const entry = { id: 'href', at: new Date(0), attempts: 1 };
const outcomes: readonly ReleaseOutcome[] = [
  { outcome: 'Released', resource: 'presenceSubscription', ...entry },
  { outcome: 'Failed', resource: 'application', cause: new Error('status 403'), ...entry },
];

describe('The leftovers of the doctor', () => {
  it('are the resources that a connection has not removed', () => {
    expect(leftBy({ clean: true, outcomes: outcomes.slice(0, 1) })).to.deep.equal([]);
    expect(leftBy({ clean: false, outcomes })).to.deep.equal(['Failed application href: Error: status 403']);
  });

  it('are a warning that says what becomes of them', () => {
    expect(leftoversResult()).to.deep.equal({ state: 'ok', text: 'nothing is left on the server' });
    const result = leftoversResult(['Failed application href']);
    expect(result).to.include({ state: 'warning', text: 'Failed application href' });
    expect(result.advice).to.contain('expire');
  });
});
