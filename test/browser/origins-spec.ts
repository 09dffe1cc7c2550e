import { expect } from 'chai';
import { serve } from '../../lib/testing/http/serve.ts';
import { ucwaDomain } from '../../lib/testing/ucwa/discovery/domain.ts';
import { XFRAME } from '../../lib/testing/ucwa/routes/xframe.ts';
import { eventually } from '../support/browser/eventually.ts';
import { withPage } from '../support/browser/withPage.ts';
import type * as board from './pages/board.ts';
import type * as signIn from './pages/signIn.ts';

const SARA = 'sip:sara@contoso.com';

describe('In a browser, a server of another origin', () => {
  it('is reached through its XFrame page, without CORS', () =>
    withPage<typeof board>('board', async ({ call, page, ucwa }) => {
      const { origin } = new URL(ucwa.url);
      await call('watch', ucwa.url, [SARA], `${origin}${XFRAME}`);
      ucwa.setPresence(SARA, { availability: 'Busy' });
      await eventually(async () => expect(await call('shown')).to.deep.equal({ [SARA]: 'Busy' }));
      await call('leave');
      await eventually(() => expect(ucwa.applications).to.be.empty);
      await eventually(() => expect(page.frames()).to.have.length(1));
      const origins = new Set(ucwa.requests.map(({ headers }) => headers['origin'] ?? origin));
      expect([...origins]).to.deep.equal([origin]);
    }));

  it('is discovered and signs the user in, with CORS', async () => {
    const domain = ucwaDomain({ users: { 'sara@contoso.com': 'secret' } });
    const server = await serve(domain.transport);
    await withPage<typeof signIn>(
      'signIn',
      async ({ call }) => {
        expect(await call('connectAndClose', `${server.origin}/`)).to.match(/\/applications\/101$/);
        expect(domain.pool.applications).to.be.empty;
      },
      { expectedErrors: /status of 401/ },
    ).finally(() => server.close());
  });
});
