import { expect } from 'chai';
import { eventually } from '../support/browser/eventually.ts';
import { withPage } from '../support/browser/withPage.ts';
import type * as interop from './pages/interop.ts';

const SARA = 'sip:sara@contoso.com';

describe("The browser's own Observable", () => {
  it('emits presence, and its abort signal unsubscribes', () =>
    withPage<typeof interop>('interop', async ({ call, ucwa }) => {
      await call('watch', ucwa.url, SARA);
      await eventually(async () => expect(await call('shown')).to.equal('Offline'));
      ucwa.setPresence(SARA, { availability: 'Busy' });
      await eventually(async () => expect(await call('shown')).to.equal('Busy'));
      await call('abort');
      await eventually(() => expect(ucwa.applications).to.be.empty);
      expect(ucwa.presenceSubscriptions).to.be.empty;
    }));

  it('becomes an Observable of RxJS that unsubscribes, completes and errors', () =>
    withPage<typeof interop>('interop', async ({ call }) => {
      expect(await call('clicks')).to.deep.equal(['click', '1,2,3', 'Error: failed']);
    }));
});
