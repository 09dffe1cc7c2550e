import { expect } from 'chai';
import * as operators from '../../operators/index.ts';

describe('rxchange/operators', () => {
  it('exports the operators and nothing else', () => {
    expect(Object.keys(operators)).to.have.members([
      'deleted',
      'distinctPresence',
      'folderEvents',
      'fromSender',
      'inFolder',
      'inCollection',
      'itemEvents',
      'countNewMail',
      'ofHref',
      'ofRel',
      'ofType',
      'retryWithBackoff',
      'debounceByItem',
      'toBoard',
      'takeUntilDeleted',
      'withResource',
    ]);
  });
});
