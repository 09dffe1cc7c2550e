import { expect } from 'chai';
import { bearer } from '../../lib/core/auth/auth.ts';
import { ucwaSimulator } from '../../lib/testing/index.ts';
import { connectUcwa, presence } from '../../lib/ucwa/index.ts';
import { at, inVirtualTime } from '../support/virtualTime.ts';

describe('A suspended connection of UCWA', () => {
  for (const onLost of ['recreate', 'error', 'complete'] as const) {
    it(`continues its streams after it resumes, with onLost ${onLost}`, () => {
      const server = ucwaSimulator();
      const emitted: string[] = [];
      inVirtualTime(() => {
        const ucwa = connectUcwa({ server: server.url, auth: bearer('token'), transport: server.transport });
        const watching = presence(ucwa, { uris: ['sip:sara@contoso.com'], onLost }).subscribe({
          next: ({ type, link }) => emitted.push(type === 'gap' ? type : `${type} ${link.rel}`),
          error: () => emitted.push('error'),
          complete: () => emitted.push('complete'),
        });
        at(5, () => {
          emitted.length = 0;
          ucwa.suspend();
        });
        at(10, () => {
          expect(server.applications).to.have.length(0);
          ucwa.resume();
        });
        at(20, () => {
          expect(server.presenceSubscriptions).to.have.length(1);
          watching.unsubscribe();
        });
      });
      expect(emitted).to.deep.equal([
        'gap',
        'added contact',
        'added presenceSubscription',
        'updated contactPresence',
      ]);
      expect(server.applications).to.have.length(0);
    });
  }
});
