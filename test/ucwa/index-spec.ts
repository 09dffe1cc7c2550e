import { expect } from 'chai';
import * as ucwa from '../../lib/ucwa/index.ts';

describe('rxchange/ucwa', () => {
  it('exports only discovery, connections and streams', () => {
    expect(Object.keys(ucwa).sort()).to.deep.equal([
      'DiscoveryError',
      'EndedError',
      'SignInError',
      'UntrustedLinkError',
      'anonymousMeeting',
      'batching',
      'checkpointed',
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
