import { expect } from 'chai';
import { idClaims } from '../../lib/ews/claims.ts';
import { marbles } from '../support/marbles.ts';

describe('The claims to subscription ids', () => {
  it('should be held from when an id is taken until it is dropped', () => {
    const claims = idClaims();
    const claim = claims.open();
    expect(claims.holds(claim, '1')).to.equal(false);
    expect(claims.take(claim, '1', 0)).to.equal('none');
    expect(claims.holds(claim, '1')).to.equal(true);
    claims.drop(claim);
    expect(claims.holds(claim, '1')).to.equal(false);
    expect(claims.take(claims.open(), '1', 0)).to.equal('none');
  });

  it('should go to who was given the id last, and tell who had it', () => {
    const claims = idClaims();
    const [older, newer] = [claims.open(), claims.open()];
    const told: string[] = [];
    older.lost = (): unknown => told.push('older');
    newer.lost = (): unknown => told.push('newer');
    claims.take(older, '1', 0);
    expect(claims.take(newer, '1', Infinity)).to.equal('forgotten');
    expect(told).to.deep.equal(['older']);
    expect([claims.holds(older, '1'), claims.holds(newer, '1')]).to.deep.equal([false, true]);
  });

  it('should be disputed where the one was told of the id when the other had asked already', () => {
    marbles(({ cold }) => {
      const claims = idClaims();
      const [one, other] = [claims.open(), claims.open()];
      cold('100ms (a|)').subscribe(() => claims.take(one, '1', 50));
      cold('200ms (a|)').subscribe(() => expect(claims.take(other, '1', 100)).to.equal('disputed'));
      cold('300ms (a|)').subscribe(() => expect(claims.take(one, '1', 201)).to.equal('forgotten'));
    });
  });

  it('should be of a process before only as long as no other has the id', () => {
    const claims = idClaims();
    const [left, mine] = [claims.open(), claims.open()];
    claims.inherit(left, '1');
    expect(claims.holds(left, '1')).to.equal(true);
    expect(claims.take(mine, '1', 0)).to.equal('forgotten');
    claims.inherit(left, '1');
    expect([claims.holds(left, '1'), claims.holds(mine, '1')]).to.deep.equal([false, true]);
  });

  it('should stay with the newer one when the older one lets go', () => {
    const claims = idClaims();
    const [older, newer] = [claims.open(), claims.open()];
    claims.take(older, '1', 0);
    claims.take(newer, '1', Infinity);
    claims.drop(older);
    expect(claims.holds(newer, '1')).to.equal(true);
  });

  it('should let one go that never got an id', () => {
    const claims = idClaims();
    claims.drop(claims.open());
    expect(claims.take(claims.open(), '1', 0)).to.equal('none');
  });

  it('should be settled when all ids have come that were awaited, and no matter which come later', () => {
    const claims = idClaims();
    expect(claims.isAwaitingId).to.equal(false);
    const [one, other] = [claims.awaitId(), claims.awaitId()];
    let isSettled = false;
    claims.settled().subscribe({ complete: () => (isSettled = true) });
    const later = claims.awaitId();
    one();
    one();
    expect(isSettled).to.equal(false);
    other();
    expect([isSettled, claims.isAwaitingId]).to.deep.equal([true, true]);
    later();
    expect(claims.isAwaitingId).to.equal(false);
  });

  it('should be settled at once where no id is awaited', () => {
    let isSettled = false;
    idClaims()
      .settled()
      .subscribe({ complete: () => (isSettled = true) });
    expect(isSettled).to.equal(true);
  });

  it('should not mix ids up', () => {
    const claims = idClaims();
    const [one, other] = [claims.open(), claims.open()];
    one.lost = (): void => expect.fail('it lost its id');
    claims.take(one, '1', 0);
    expect(claims.take(other, '2', 0)).to.equal('none');
    expect(claims.holds(one, '2')).to.equal(false);
  });
});
