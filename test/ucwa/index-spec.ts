import { expect } from 'chai';
import * as ucwa from '../../lib/ucwa/index.ts';

describe('rxchange/ucwa', () => {
  it('should export how to connect and what to watch, and nothing more', () => {
    expect(Object.keys(ucwa).sort()).to.deep.equal(['connect', 'presence']);
  });
});
