import { expect } from 'chai';
import * as operators from '../../operators/index.ts';

describe('rxchange/operators', () => {
  it('should export the operators, and nothing that they are made of', () => {
    expect(Object.keys(operators)).to.have.members([
      'added',
      'completed',
      'deleted',
      'fromSender',
      'inRel',
      'ofHref',
      'ofRel',
      'ofType',
      'retryWithBackoff',
      'started',
      'updated',
    ]);
  });
});
