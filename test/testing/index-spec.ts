import { expect } from 'chai';
import * as testing from '../../lib/testing/index.ts';

describe('rxchange/testing', () => {
  it('should export the simulators, and nothing more', () => {
    expect(Object.keys(testing).sort()).to.deep.equal([
      'ewsSimulator',
      'pushCallback',
      'ucwaDiscovery',
      'ucwaDomain',
      'ucwaSimulator',
    ]);
  });
});
