import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { eventually } from '../support/browser/eventually.ts';
import { withPage } from '../support/browser/withPage.ts';
import type * as board from './pages/board.ts';
import type * as mail from './pages/mail.ts';

const SARA = 'sip:sara@contoso.com';

/** Requests beyond the limit of 64 KiB fail in the page, and are sent again when it returns. */
const TOO_MANY = { expectedErrors: /Failed to load resource: net::ERR_/ };

async function goAway(page: Page): Promise<void> {
  await page.goto(new URL('/blank.html', page.url()).href);
}

/** A restored page emits no `load` event. */
async function goBack(page: Page): Promise<void> {
  await page.goBack({ waitUntil: 'commit' });
}

const uris = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `sip:user${index}@contoso.com`);

describe('In a browser, a page that is left', () => {
  it('leaves no application after ten loads', () =>
    withPage<typeof board>('board', async ({ call, page, ucwa }) => {
      for (let load = 0; load < 10; load += 1) {
        await call('watch', ucwa.url, [SARA]);
        await eventually(() => expect(ucwa.presenceSubscriptions).to.not.be.empty);
        await page.reload();
      }
      await eventually(() => expect(ucwa.applications).to.be.empty);
      const created = ucwa.requests.filter(({ path }) => path.endsWith('/applications'));
      expect(created).to.have.length(10);
    }));

  it('removes 400 presences with one request', () =>
    withPage<typeof board>('board', async ({ call, page, ucwa }) => {
      await call('watchSeparately', ucwa.url, uris(400));
      await eventually(() => expect(ucwa.presenceSubscriptions).to.have.length(400));
      await goAway(page);
      await eventually(() => expect(ucwa.applications).to.be.empty);
      expect(ucwa.requests.filter(({ method }) => method === 'DELETE')).to.have.length(1);
    }));

  it('removes 100 EWS subscriptions', () =>
    withPage<typeof mail>('mail', async ({ call, page, ews }) => {
      await call('poll', ews.url, 100);
      await eventually(() => expect(ews.subscriptions).to.have.length(100));
      await goAway(page);
      await eventually(() => expect(ews.subscriptions).to.be.empty);
    }));

  it('removes the EWS subscriptions beyond 64 KiB when it returns', () =>
    withPage<typeof mail>(
      'mail',
      async ({ call, page, ews }) => {
        await call('poll', ews.url, 300);
        await eventually(() => expect(ews.subscriptions).to.have.length(300));
        const first = new Set(ews.subscriptions.map(({ id }) => id));
        const left = (): number => ews.subscriptions.filter(({ id }) => first.has(id)).length;
        await goAway(page);
        await eventually(() => expect(left()).to.be.below(200));
        expect(left()).to.be.above(0);
        await goBack(page);
        await eventually(() => expect(left()).to.equal(0));
        await eventually(() => expect(ews.subscriptions).to.have.length(300));
      },
      TOO_MANY,
    ));

  it('leaves nothing when its tab is closed', () =>
    withPage<typeof board>('board', async ({ call, page, ucwa }) => {
      await call('watch', ucwa.url, [SARA]);
      await eventually(() => expect(ucwa.presenceSubscriptions).to.have.length(1));
      await page.close({ runBeforeUnload: false });
      await eventually(() => expect(ucwa.applications).to.be.empty);
    }));

  it('continues its board after Back, with a gap', () =>
    withPage<typeof board>('board', async ({ call, page, ucwa }) => {
      await call('watch', ucwa.url, [SARA]);
      await eventually(async () => expect(await call('shown')).to.deep.equal({ [SARA]: 'Offline' }));
      await goAway(page);
      await eventually(() => expect(ucwa.applications).to.be.empty);
      ucwa.setPresence(SARA, { availability: 'Busy' });
      await goBack(page);
      await eventually(async () => expect(await call('shown')).to.deep.equal({ [SARA]: 'Busy' }));
      expect(await call('gapCount')).to.equal(1);
      await eventually(async () =>
        expect((await call('statusHistory')).slice(-2)).to.deep.equal(['connecting', 'live']),
      );
      await call('leave');
      await eventually(() => expect(ucwa.applications).to.be.empty);
    }));

  it('continues its EWS stream after Back', () =>
    withPage<typeof mail>('mail', async ({ call, page, ews }) => {
      await call('watch', ews.url);
      await eventually(() => expect(ews.streams).to.have.length(1));
      await goAway(page);
      await eventually(() => expect(ews.subscriptions).to.be.empty);
      await goBack(page);
      await eventually(async () =>
        expect((await call('statusHistory')).slice(-2)).to.deep.equal(['connecting', 'live']),
      );
      ews.deliverMail();
      await eventually(async () => expect(await call('shown')).to.equal(1));
      await call('leave');
      await eventually(() => expect(ews.subscriptions).to.be.empty);
    }));
});

describe('In a browser, a frozen page', () => {
  it('is current after it resumes, even without its old application', () =>
    withPage<typeof board>(
      'board',
      async ({ call, page, ucwa, context }) => {
        await call('watch', ucwa.url, [SARA]);
        await eventually(async () => expect(await call('shown')).to.deep.equal({ [SARA]: 'Offline' }));
        const browser = await context.newCDPSession(page);
        for (const [availability, isEnded] of [
          ['Busy', false],
          ['Away', true],
        ] as const) {
          await browser.send('Page.setWebLifecycleState', { state: 'frozen' });
          if (isEnded) ucwa.endApplications();
          ucwa.setPresence(SARA, { availability });
          await browser.send('Page.setWebLifecycleState', { state: 'active' });
          await eventually(async () => expect(await call('shown')).to.deep.equal({ [SARA]: availability }));
        }
        await call('leave');
        await eventually(() => expect(ucwa.applications).to.be.empty);
      },
      { expectedErrors: /status of 404/ },
    ));
});
