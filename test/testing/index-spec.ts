import { expect } from 'chai';
import * as testing from '../../lib/testing/index.ts';

describe('rxchange/testing', () => {
  it('should export the simulators and how to serve them, and nothing more', () => {
    expect(Object.keys(testing).sort()).to.deep.equal([
      'ewsSimulator',
      'pushCallback',
      'serve',
      'ucwaDiscovery',
      'ucwaDomain',
      'ucwaSimulator',
    ]);
  });
});
