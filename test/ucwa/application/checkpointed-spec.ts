import { expect } from 'chai';
import { memoryCheckpoints } from '../../../lib/core/checkpoint/memoryStore.ts';
import { CHECKPOINTING, checkpointed } from '../../../lib/ucwa/application/checkpointed.ts';

describe('checkpointed', () => {
  it('carries the functions of its feature', () => {
    const checkpoint = checkpointed(memoryCheckpoints(), 'presence');
    expect(checkpoint.key).to.equal('presence');
    expect(CHECKPOINTING.read('checkpoint', checkpoint)).to.have.keys(
      ...['open', 'journaled', 'removeOrphan', 'resumedApplications'],
    );
  });
});
