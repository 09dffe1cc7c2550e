import { expect } from 'chai';
import * as testing from '../../lib/testing/index.ts';

describe('rxchange/testing', () => {
  it('exports only the simulators', () => {
    expect(Object.keys(testing).sort()).to.deep.equal([
      'ewsSimulator',
      'pushCallback',
      'ucwaDiscovery',
      'ucwaDomain',
      'ucwaSimulator',
    ]);
  });
});
