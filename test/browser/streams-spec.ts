import { expect } from 'chai';
import { eventually } from '../support/browser/eventually.ts';
import { withPage } from '../support/browser/withPage.ts';
import type * as board from './pages/board.ts';
import type * as mail from './pages/mail.ts';

const SARA = 'sip:sara@contoso.com';

describe('In a browser, a page', () => {
  it('shows presence, and leaves nothing on the server', () =>
    withPage<typeof board>('board', async ({ call, ucwa }) => {
      await call('watch', ucwa.url, [SARA]);
      await eventually(async () => expect(await call('shown')).to.deep.equal({ [SARA]: 'Offline' }));
      ucwa.setPresence(SARA, { availability: 'Busy' });
      await eventually(async () => expect(await call('shown')).to.deep.equal({ [SARA]: 'Busy' }));
      await call('leave');
      await eventually(() => expect(ucwa.applications).to.be.empty);
    }));

  it('counts new messages, and leaves nothing on the server', () =>
    withPage<typeof mail>('mail', async ({ call, ews }) => {
      await call('watch', ews.url);
      await eventually(() => expect(ews.streams).to.have.length(1));
      ews.deliverMail();
      await eventually(async () => expect(await call('shown')).to.equal(1));
      await call('leave');
      await eventually(() => expect(ews.subscriptions).to.be.empty);
    }));

  it('fails a spec that does not expect its errors', async () => {
    const errorOf = (event: 'console' | 'weberror', script: string): Promise<string> =>
      withPage<typeof board>('board', async ({ page, context }) => {
        const reported =
          event === 'console' ? context.waitForEvent('console') : context.waitForEvent('weberror');
        await Promise.all([reported, page.evaluate(script)]);
      }).then(String, String);
    expect(await errorOf('console', 'console.error("logged")')).to.contain('the page reported:\nlogged');
    expect(await errorOf('weberror', 'setTimeout(() => undefinedName()); 1')).to.match(
      /the page reported:\nReferenceError: undefinedName/,
    );
    expect(await errorOf('weberror', 'Promise.reject(new Error("rejected")); 1')).to.contain('rejected');
  });
});
