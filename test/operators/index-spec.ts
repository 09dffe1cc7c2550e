import { expect } from 'chai';
import * as operators from '../../operators/index.ts';

describe('rxchange/operators', () => {
  it('should export the operators, and nothing that they are made of', () => {
    expect(Object.keys(operators)).to.have.members([
      'added',
      'completed',
      'deleted',
      'distinctPresence',
      'folderEvents',
      'fromSender',
      'inFolder',
      'inRel',
      'itemEvents',
      'newMailCount',
      'ofHref',
      'ofRel',
      'ofType',
      'retryWithBackoff',
      'settle',
      'started',
      'toBoard',
      'untilDeleted',
      'updated',
      'withResource',
    ]);
  });
});
