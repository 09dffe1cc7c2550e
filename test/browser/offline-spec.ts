import { expect } from 'chai';
import type { BrowserContext, Page } from 'playwright-core';
import { eventually } from '../support/browser/eventually.ts';
import { withPage } from '../support/browser/withPage.ts';
import { cuttableProxy } from '../support/net/cuttableProxy.ts';
import type * as board from './pages/board.ts';
import type * as mail from './pages/mail.ts';

const SARA = 'sip:sara@contoso.com';
const OFFLINE = { expectedErrors: /net::ERR_/ };

/** The network between the browser and a server. A browser that plays offline keeps its open connections. */
interface Network {
  readonly url: string;
  readonly cut: () => Promise<void>;
  readonly restore: () => Promise<void>;
}

async function withNetwork(
  context: BrowserContext,
  server: string,
  spec: (network: Network) => Promise<void>,
): Promise<void> {
  const { port, pathname } = new URL(server);
  const proxy = await cuttableProxy(Number(port));
  const network = {
    url: `${proxy.origin}${pathname}`,
    cut: async () => {
      proxy.cut();
      await context.setOffline(true);
    },
    restore: async () => {
      proxy.restore();
      await context.setOffline(false);
    },
  };
  await spec(network).finally(() => proxy.close());
}

/**
 * Installs a clock in the page. Returns a function that lets a minute pass there, in which each request has
 * the time to fail.
 */
async function minutes(page: Page): Promise<() => Promise<void>> {
  let pending = 0;
  page.on('request', () => (pending += 1));
  page.on('requestfinished', () => (pending -= 1));
  page.on('requestfailed', () => (pending -= 1));
  await page.clock.install();
  return async () => {
    for (let passedMs = 0; passedMs < 60_000; passedMs += 500) {
      await page.clock.runFor(500);
      await eventually(() => expect(pending).to.equal(0));
    }
  };
}

/** Stops the clock of the page, and lets two seconds pass there at most until the assertion passes. */
async function withinTwoSeconds(
  page: Page,
  act: () => Promise<void>,
  assertion: () => Promise<void>,
): Promise<void> {
  // Later than the clock of the page, which may be ahead.
  await page.clock.pauseAt(new Date(Date.now() + 3 * 3_600_000));
  await act();
  let passedMs = 0;
  await eventually(async () => {
    if (passedMs < 2000) await page.clock.runFor(20);
    passedMs += 20;
    await assertion();
  });
}

describe('In a browser, a page that is offline', () => {
  it('says that its board waits, and is current two seconds after', () =>
    withPage<typeof board>(
      'board',
      ({ call, page, context, ucwa }) =>
        withNetwork(context, ucwa.url, async ({ url, cut, restore }) => {
          const status = async (): Promise<string | undefined> => (await call('statusHistory')).at(-1);
          const aMinute = await minutes(page);
          await call('watch', url, [SARA]);
          await eventually(async () => expect(await status()).to.equal('live'));
          await cut();
          await eventually(async () => expect(await status()).to.equal('waiting: network'));
          ucwa.setPresence(SARA, { availability: 'Busy' });
          await aMinute();
          expect(await status()).to.equal('waiting: network');
          expect(await call('shown')).to.deep.equal({ [SARA]: 'Offline' });
          await withinTwoSeconds(page, restore, async () => {
            expect(await call('shown')).to.deep.equal({ [SARA]: 'Busy' });
            expect(await status()).to.equal('live');
          });
        }),
      OFFLINE,
    ));

  it('says that its mail waits, and is live two seconds after', () =>
    withPage<typeof mail>(
      'mail',
      ({ call, page, context, ews }) =>
        withNetwork(context, ews.url, async ({ url, cut, restore }) => {
          const status = async (): Promise<string | undefined> => (await call('statusHistory')).at(-1);
          const aMinute = await minutes(page);
          await call('watch', url);
          await eventually(async () => expect(await status()).to.equal('live'));
          await cut();
          await eventually(async () => expect(await status()).to.equal('waiting: network'));
          await aMinute();
          expect(await status()).to.equal('waiting: network');
          await withinTwoSeconds(page, restore, async () => {
            expect(await status()).to.equal('live');
          });
          ews.deliverMail();
          await eventually(async () => expect(await call('shown')).to.equal(1));
        }),
      OFFLINE,
    ));

  it('shows its board two seconds after it was loaded offline', () =>
    withPage<typeof board>(
      'board',
      ({ call, page, context, ucwa }) =>
        withNetwork(context, ucwa.url, async ({ url, cut, restore }) => {
          const status = async (): Promise<string | undefined> => (await call('statusHistory')).at(-1);
          const aMinute = await minutes(page);
          await cut();
          await call('watch', url, [SARA]);
          await eventually(async () => expect(await status()).to.equal('waiting: network'));
          await aMinute();
          await withinTwoSeconds(page, restore, async () => {
            expect(await call('shown')).to.deep.equal({ [SARA]: 'Offline' });
            expect(await status()).to.equal('live');
          });
        }),
      OFFLINE,
    ));

  it('is current two seconds after an hour of sleep', () =>
    withPage<typeof board>(
      'board',
      ({ call, page, context, ucwa }) =>
        withNetwork(context, ucwa.url, async ({ url, cut, restore }) => {
          const status = async (): Promise<string | undefined> => (await call('statusHistory')).at(-1);
          await page.clock.install();
          await call('watch', url, [SARA]);
          await eventually(async () => expect(await status()).to.equal('live'));
          await cut();
          ucwa.endApplications();
          ucwa.setPresence(SARA, { availability: 'Busy' });
          // Timers that are due fire once, as after a machine has slept.
          await page.clock.fastForward(3_600_000);
          await withinTwoSeconds(page, restore, async () => {
            expect(await call('shown')).to.deep.equal({ [SARA]: 'Busy' });
            expect(await status()).to.equal('live');
          });
        }),
      { expectedErrors: /net::ERR_|status of 404/ },
    ));
});
