import { expect } from 'chai';
import { serve } from '../../lib/testing/http/serve.ts';
import { ucwaDomain } from '../../lib/testing/ucwa/discovery/domain.ts';
import { type UcwaSimulator, ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { XFRAME } from '../../lib/testing/ucwa/routes/xframe.ts';
import { eventually } from '../support/browser/eventually.ts';
import { type OpenPage, withPage } from '../support/browser/withPage.ts';
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

  it('is reached through its XFrame page from an allowed origin', () =>
    fromAnotherHost({ isAllowed: true }, async ({ call }, ucwa) => {
      await eventually(async () => expect(await call('shown')).to.deep.equal({ [SARA]: 'Offline' }));
      await call('leave');
      await eventually(() => expect(ucwa.applications).to.be.empty);
    }));

  it('refuses requests of other origins at its XFrame page', () =>
    fromAnotherHost({ isAllowed: false }, async ({ call }, ucwa) => {
      await eventually(async () => expect(await call('failure')).to.match(/was answered 403.*not allowed/));
      expect(ucwa.requests.filter(({ path }) => path !== XFRAME)).to.be.empty;
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

/** Opens a page on another host, which watches Sara through the XFrame page of a server. */
function fromAnotherHost(
  { isAllowed }: { readonly isAllowed: boolean },
  spec: (opened: OpenPage<typeof board>, ucwa: UcwaSimulator) => Promise<void>,
): Promise<void> {
  return withPage<typeof board>('board', async (opened) => {
    const { origin, pathname } = new URL(opened.page.url());
    const foreign = origin.replace('127.0.0.1', 'app.example');
    const ucwa = ucwaSimulator({ mediumSeconds: 0, allowedOrigins: isAllowed ? [foreign] : [] });
    const server = await serve(ucwa.transport);
    try {
      await opened.page.goto(`${foreign}${pathname}`);
      const url = new URL(new URL(ucwa.url).pathname, server.origin).href;
      await opened.call('watch', url, [SARA], `${server.origin}${XFRAME}`);
      await spec(opened, ucwa);
    } finally {
      await server.close();
    }
  });
}
