import { expect } from 'chai';
import { subscriptionIds } from '../../../lib/ews/session/subscriptionIds.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

describe('The claims to subscription ids', () => {
  it('are valid from the assignment of an id until the drop', () => {
    const claims = subscriptionIds();
    const claim = claims.open();
    expect(claims.owns(claim, '1')).to.equal(false);
    expect(claims.assign(claim, '1', 0)).to.equal('none');
    expect(claims.owns(claim, '1')).to.equal(true);
    claims.drop(claim);
    expect(claims.owns(claim, '1')).to.equal(false);
    expect(claims.assign(claims.open(), '1', 0)).to.equal('none');
  });

  it('pass to the latest assignment and notify the previous owner', () => {
    const claims = subscriptionIds();
    const [older, newer] = [claims.open(), claims.open()];
    const recorded: string[] = [];
    older.lost = (): unknown => recorded.push('older');
    newer.lost = (): unknown => recorded.push('newer');
    claims.assign(older, '1', 0);
    expect(claims.assign(newer, '1', Infinity)).to.equal('forgotten');
    expect(recorded).to.deep.equal(['older']);
    expect([claims.owns(older, '1'), claims.owns(newer, '1')]).to.deep.equal([false, true]);
  });

  it('are disputed if the requests of two owners overlap', () => {
    inVirtualTime(({ cold }) => {
      const claims = subscriptionIds();
      const [one, other] = [claims.open(), claims.open()];
      cold('100ms (a|)').subscribe(() => claims.assign(one, '1', 50));
      cold('200ms (a|)').subscribe(() => expect(claims.assign(other, '1', 100)).to.equal('disputed'));
      cold('300ms (a|)').subscribe(() => expect(claims.assign(one, '1', 201)).to.equal('forgotten'));
    });
  });

  it('of an earlier process end when another claim has the id', () => {
    const claims = subscriptionIds();
    const [left, mine] = [claims.open(), claims.open()];
    claims.adopt(left, '1');
    expect(claims.owns(left, '1')).to.equal(true);
    expect(claims.assign(mine, '1', 0)).to.equal('forgotten');
    claims.adopt(left, '1');
    expect([claims.owns(left, '1'), claims.owns(mine, '1')]).to.deep.equal([false, true]);
  });

  it('stay with the newer owner when the older one drops', () => {
    const claims = subscriptionIds();
    const [older, newer] = [claims.open(), claims.open()];
    claims.assign(older, '1', 0);
    claims.assign(newer, '1', Infinity);
    claims.drop(older);
    expect(claims.owns(newer, '1')).to.equal(true);
  });

  it('without an id can be dropped', () => {
    const claims = subscriptionIds();
    claims.drop(claims.open());
    expect(claims.assign(claims.open(), '1', 0)).to.equal('none');
  });

  it('are settled when all ids awaited at the call have arrived', () => {
    const claims = subscriptionIds();
    expect(claims.isAwaitingId).to.equal(false);
    const [one, other] = [claims.expectId(), claims.expectId()];
    let isSettled = false;
    claims.settled().subscribe({ complete: () => (isSettled = true) });
    const later = claims.expectId();
    one();
    one();
    expect(isSettled).to.equal(false);
    other();
    expect([isSettled, claims.isAwaitingId]).to.deep.equal([true, true]);
    later();
    expect(claims.isAwaitingId).to.equal(false);
  });

  it('are settled at once if no id is awaited', () => {
    let isSettled = false;
    subscriptionIds()
      .settled()
      .subscribe({ complete: () => (isSettled = true) });
    expect(isSettled).to.equal(true);
  });

  it('do not affect other ids', () => {
    const claims = subscriptionIds();
    const [one, other] = [claims.open(), claims.open()];
    one.lost = (): void => expect.fail('it lost its id');
    claims.assign(one, '1', 0);
    expect(claims.assign(other, '2', 0)).to.equal('none');
    expect(claims.owns(one, '2')).to.equal(false);
  });
});
