import { expect } from 'chai';
import { idClaims } from '../../lib/ews/claims.ts';

describe('The claims to subscription ids', () => {
  it('should be held from when an id is taken until it is dropped', () => {
    const claim = idClaims().open();
    expect(claim.holds('1')).to.equal(false);
    expect(claim.take('1', () => undefined)).to.equal(false);
    expect(claim.holds('1')).to.equal(true);
    claim.drop();
    expect(claim.holds('1')).to.equal(false);
  });

  it('should go to who was given the id last, and tell who had it', () => {
    const claims = idClaims();
    const [older, newer] = [claims.open(), claims.open()];
    const told: string[] = [];
    older.take('1', () => told.push('older'));
    expect(newer.take('1', () => told.push('newer'))).to.equal(true);
    expect(told).to.deep.equal(['older']);
    expect([older.holds('1'), newer.holds('1')]).to.deep.equal([false, true]);
  });

  it('should stay with the newer one when the older one lets go', () => {
    const claims = idClaims();
    const [older, newer] = [claims.open(), claims.open()];
    older.take('1', () => undefined);
    newer.take('1', () => undefined);
    older.drop();
    expect(newer.holds('1')).to.equal(true);
  });

  it('should not mix ids up', () => {
    const claims = idClaims();
    const [one, other] = [claims.open(), claims.open()];
    one.take('1', () => expect.fail('it lost its id'));
    expect(other.take('2', () => undefined)).to.equal(false);
    expect(one.holds('2')).to.equal(false);
  });
});
