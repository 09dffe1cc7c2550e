import { expect } from 'chai';
import { countingSimulator } from '../support/browser/countingSimulator.ts';
import { eventually } from '../support/browser/eventually.ts';
import { type OpenPage, type PageSpec, withPage } from '../support/browser/withPage.ts';
import type * as tabs from './pages/tabs.ts';

const SARA = 'sip:sara@contoso.com';
const BOB = 'sip:bob@contoso.com';
const BOTH = `${SARA},${BOB}`;

type Tab = OpenPage<typeof tabs>;
type Missing = Parameters<typeof tabs.watch>[3];

/** Opens tabs that watch two lists of contacts, and mail, and waits until they show both lists. */
async function openTabs(
  { call, page, open, ucwa, ews }: PageSpec<typeof tabs>,
  count: number,
  missing: Missing = [],
): Promise<Tab[]> {
  const all: Tab[] = [{ call, page }];
  while (all.length < count) all.push(await open());
  for (const tab of all) {
    await tab.call('watch', ucwa.url, ews.url, [[SARA], [SARA, BOB]], missing);
    // The first one is the leader.
    await eventually(async () => expect((await tab.call('shown')).isConnected).to.equal(true));
  }
  await eventually(() => expectBoards(all, 'Offline'));
  await eventually(() => expect(ews.streams).to.have.length(1));
  return all;
}

async function expectBoards(all: readonly Tab[], sara: string): Promise<void> {
  for (const tab of all) {
    const { boards } = await tab.call('shown');
    expect(boards).to.deep.equal({ [SARA]: { [SARA]: sara }, [BOTH]: { [SARA]: sara, [BOB]: 'Offline' } });
  }
}

async function expectEvents(all: readonly Tab[], events: readonly string[]): Promise<void> {
  for (const tab of all) expect((await tab.call('shown')).events).to.deep.equal(events);
}

const BROWSERS = [
  ['a browser with SharedWorker', []],
  ['a browser without SharedWorker', ['SharedWorker']],
] as const;

for (const [browser, missing] of BROWSERS) {
  describe(`In ${browser}, eight tabs`, () => {
    const { ucwa: simulator, pendingGets } = countingSimulator();

    it('share one application, one P-GET and one subscription per list', () =>
      withPage<typeof tabs>(
        'tabs',
        async (setup) => {
          const { ucwa, ews } = setup;
          const all = await openTabs(setup, 8, missing);
          const [first, ...others] = all as [Tab, ...Tab[]];
          const created = ucwa.requests.filter(({ path }) => path.endsWith('/applications'));
          expect(created.map(({ method }) => method)).to.deep.equal(['POST']);
          expect(ucwa.presenceSubscriptions.map(({ uris }) => uris)).to.deep.equal([[SARA], [SARA, BOB]]);
          await eventually(() => expect(pendingGets()).to.equal(1));
          expect(ews.subscriptions).to.have.length(1);
          expect(ews.streams).to.have.length(1);

          ucwa.setPresence(SARA, { availability: 'Busy' });
          ews.deliverMail();
          await eventually(() => expectBoards(all, 'Busy'));
          await eventually(() => expectEvents(all, ['newMail']));
          // One tab had to sign in to each server.
          const tokens = await Promise.all(all.map(({ call }) => call('shown')));
          expect(tokens.flatMap((shown) => shown.tokens).sort()).to.deep.equal(['ews', 'ucwa']);

          // A late tab gets the current state.
          const late = await setup.open();
          await late.call('watch', ucwa.url, ews.url, [[SARA], [SARA, BOB]], missing);
          await eventually(() => expectBoards([late], 'Busy'));
          await expectEvents([late], []);

          for (const { page } of [...others, late]) await page.close();
          ucwa.setPresence(SARA, { availability: 'Away' });
          await eventually(() => expectBoards([first], 'Away'));
          await first.page.close();
          await eventually(() => {
            expect(ucwa.applications).to.be.empty;
            expect(ucwa.presenceSubscriptions).to.be.empty;
            expect(ews.subscriptions).to.be.empty;
          });
        },
        { ucwa: simulator },
      ));
  });
}

/** Freezes a hidden page, or continues it. */
async function freeze({ page }: Tab, state: 'frozen' | 'active'): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Page.setWebLifecycleState', { state });
}

/** Kills the process of a page. */
async function crash({ page }: Tab): Promise<void> {
  const crashed = page.waitForEvent('crash');
  page.goto('chrome://crash').catch(() => undefined);
  await crashed;
}

/** The next worker or leader has removed what a dead one has left. */
async function expectNothingOfTheDead({ ucwa, ews }: PageSpec<typeof tabs>): Promise<void> {
  await eventually(() => {
    expect(ucwa.applications).to.have.length(1);
    expect(ucwa.presenceSubscriptions).to.have.length(2);
    expect(ews.subscriptions).to.have.length(1);
  });
}

const TWO_LISTS = [[SARA], [SARA, BOB]];

describe('In a browser, tabs with a SharedWorker', () => {
  it('leave no subscription of a tab that crashes', () =>
    withPage<typeof tabs>('tabs', async ({ call, page, open, ucwa, ews }) => {
      const crashing = await open();
      await call('watch', ucwa.url, ews.url, [[SARA]]);
      await crashing.call('watch', ucwa.url, ews.url, [[SARA], [BOB]]);
      await eventually(() => expect(ucwa.presenceSubscriptions).to.have.length(2));
      await crash(crashing);
      await eventually(() =>
        expect(ucwa.presenceSubscriptions.map(({ uris }) => uris)).to.deep.equal([[SARA]]),
      );
      await page.close();
      await eventually(() => expect(ucwa.applications).to.be.empty);
    }));

  it('continue with a gap when the worker dies', () =>
    withPage<typeof tabs>('tabs', async (setup) => {
      const { ucwa, ews, context } = setup;
      const all = await openTabs(setup, 2);
      const session = await context.browser()!.newBrowserCDPSession();
      const { targetInfos } = await session.send('Target.getTargets');
      const { targetId } = targetInfos.find(({ type }) => type === 'shared_worker')!;
      const dead = ews.subscriptions[0]!.id;
      await session.send('Target.closeTarget', { targetId });
      await eventually(() => expect(ews.subscriptions[0]?.id).to.be.a('string').and.not.equal(dead));
      ucwa.setPresence(SARA, { availability: 'Busy' });
      await eventually(() => expectBoards(all, 'Busy'));
      for (const { call } of all) expect((await call('shown')).wasStale).to.equal(true);
      ews.deliverMail();
      await eventually(() => expectEvents(all, ['gap', 'gap', 'gap', 'newMail']));
      await expectNothingOfTheDead(setup);
    }));

  it('receive errors with their class, code and message', () =>
    withPage<typeof tabs>(
      'tabs',
      async ({ call, ucwa, ews }) => {
        await call('watch', ucwa.url, ews.url, []);
        const [ofHttp, ofEws] = await call('errors');
        expect(ofHttp).to.match(/^an instance of HttpError: NotFound: GET http/);
        expect(ofEws).to.match(/^an instance of SoapFault: ErrorSchemaValidation: Subscribe at http/);
      },
      { expectedErrors: /status of/ },
    ));

  it('leave when they are frozen, and return with the current state', () =>
    withPage<typeof tabs>(
      'tabs',
      async (setup) => {
        const { ucwa, ews, open } = setup;
        const [frozen] = (await openTabs(setup, 1)) as [Tab];
        await open();
        await freeze(frozen, 'frozen');
        await eventually(() => expect(ucwa.applications).to.be.empty);
        await eventually(() => expect(ews.subscriptions).to.be.empty);
        ucwa.setPresence(SARA, { availability: 'Busy' });
        await freeze(frozen, 'active');
        await eventually(() => expectBoards([frozen], 'Busy'));
        await frozen.page.close();
        await eventually(() => expect(ucwa.applications).to.be.empty);
      },
      { inWindow: true },
    ));
});

describe('In a browser, tabs without SharedWorker', () => {
  const missing: Missing = ['SharedWorker'];

  it('continue with a gap when the leader crashes', () =>
    withPage<typeof tabs>('tabs', async (setup) => {
      const { ucwa, ews } = setup;
      const [leader, ...others] = (await openTabs(setup, 3, missing)) as [Tab, ...Tab[]];
      const dead = ews.subscriptions[0]!.id;
      await crash(leader);
      await eventually(() => expect(ews.subscriptions[0]?.id).to.be.a('string').and.not.equal(dead));
      ucwa.setPresence(SARA, { availability: 'Busy' });
      await eventually(() => expectBoards(others, 'Busy'));
      ews.deliverMail();
      await eventually(() => expectEvents(others, ['gap', 'gap', 'gap', 'newMail']));
      await expectNothingOfTheDead(setup);
      for (const { page } of others) await page.close();
      await eventually(() => expect(ucwa.applications).to.be.empty);
      await eventually(() => expect(ews.subscriptions).to.be.empty);
    }));

  it('replace a leader that hangs, which releases everything when it continues', () =>
    withPage<typeof tabs>(
      'tabs',
      async (setup) => {
        const { ucwa, ews } = setup;
        const all = await openTabs(setup, 3, missing);
        const [leader, ...others] = all as [Tab, ...Tab[]];
        const [old] = ucwa.applications;
        const dead = ews.subscriptions[0]!.id;
        const hanging = leader.call('hang', 12_000);
        await eventually(() => expect(ews.subscriptions[0]?.id).to.be.a('string').and.not.equal(dead));
        ucwa.setPresence(SARA, { availability: 'Busy' });
        await eventually(() => expectBoards(others, 'Busy'));
        await hanging;
        // It deletes the application, which the next leader re-creates.
        await eventually(() => expect(ucwa.applications[0]?.id).to.be.a('string').and.not.equal(old?.id));
        expect(ucwa.applications).to.have.length(1);
        await eventually(() => expect(ews.subscriptions).to.have.length(1));
        await eventually(() => expectBoards(all, 'Busy'));
        ews.deliverMail();
        await eventually(() => expectEvents(others, ['gap', 'gap', 'gap', 'newMail']));
        await eventually(() => expectEvents([leader], ['gap', 'gap', 'newMail']));
      },
      { expectedErrors: /status of 404/ },
    )).timeout(60_000);

  it('hand over when the leader is frozen', () =>
    withPage<typeof tabs>(
      'tabs',
      async (setup) => {
        const { ucwa } = setup;
        const [leader, other] = (await openTabs(setup, 2, missing)) as [Tab, Tab];
        const [old] = ucwa.applications;
        await freeze(leader, 'frozen');
        await eventually(() => expect(ucwa.applications[0]?.id).not.to.equal(old?.id));
        ucwa.setPresence(SARA, { availability: 'Busy' });
        await eventually(() => expectBoards([other], 'Busy'));
        await freeze(leader, 'active');
        await eventually(() => expectBoards([leader], 'Busy'));
      },
      { inWindow: true },
    ));

  it('hand over when the leader is closed', () =>
    withPage<typeof tabs>('tabs', async (setup) => {
      const { ucwa } = setup;
      const [leader, other] = (await openTabs(setup, 2, missing)) as [Tab, Tab];
      await leader.page.close();
      ucwa.setPresence(SARA, { availability: 'Busy' });
      await eventually(() => expectBoards([other], 'Busy'));
    }));
});

describe('In a browser without SharedWorker and Web Locks', () => {
  it('each tab connects on its own', () =>
    withPage<typeof tabs>('tabs', async ({ call, page, open, ucwa, ews }) => {
      const all: readonly Tab[] = [{ call, page }, await open()];
      for (const tab of all) await tab.call('watch', ucwa.url, ews.url, TWO_LISTS, ['SharedWorker', 'locks']);
      await eventually(() => expectBoards(all, 'Offline'));
      expect(ucwa.applications).to.have.length(2);
      for (const tab of all) await tab.page.close();
      await eventually(() => expect(ews.subscriptions).to.be.empty);
      await eventually(() => expect(ucwa.applications).to.be.empty);
    }));
});

for (const [browser, missing] of BROWSERS) {
  describe(`In ${browser}, a tab`, () => {
    it('leaves when another page takes its place, and returns from the cache', () =>
      withPage<typeof tabs>('tabs', async (setup) => {
        const { ucwa, ews } = setup;
        const [tab, other] = (await openTabs(setup, 2, missing)) as [Tab, Tab];
        await tab.call('watch', ucwa.url, ews.url, [[BOB]]);
        await eventually(() => expect(ucwa.presenceSubscriptions).to.have.length(3));
        await tab.page.goto(new URL('board.html', tab.page.url()).href);
        await eventually(() => expect(ucwa.presenceSubscriptions).to.have.length(2));
        ucwa.setPresence(SARA, { availability: 'Busy' });
        await tab.page.evaluate(() => history.back());
        await eventually(() => expectBoards([other], 'Busy'));
        await eventually(async () => {
          const { boards } = await tab.call('shown');
          expect(boards[SARA]).to.deep.equal({ [SARA]: 'Busy' });
        });
        await eventually(() => expect(ucwa.presenceSubscriptions).to.have.length(3));
      }));
  });
}
