import { expect } from 'chai';
import * as ucwa from '../../lib/ucwa/index.ts';

describe('rxchange/ucwa', () => {
  it('should export how to find, connect and watch, and nothing more', () => {
    expect(Object.keys(ucwa).sort()).to.deep.equal([
      'DiscoveryError',
      'EndedError',
      'SignInError',
      'UntrustedLinkError',
      'anonymousMeeting',
      'batching',
      'connectUcwa',
      'contactPresence',
      'discovered',
      'existingApplication',
      'groupPresence',
      'myContactsAndGroups',
      'password',
      'presence',
      'presenceBoard',
      'publishing',
      'windows',
      'xframe',
    ]);
  });
});
