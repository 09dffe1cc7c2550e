import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { eventually } from '../support/browser/eventually.ts';
import { withinTwoSeconds } from '../support/browser/pageClock.ts';
import { withOfflinePage } from '../support/browser/withOfflinePage.ts';
import { withPage } from '../support/browser/withPage.ts';
import type * as board from './pages/board.ts';
import type * as mail from './pages/mail.ts';

const SARA = 'sip:sara@contoso.com';
const IN_BACKGROUND = { inWindow: true, expectedErrors: /net::ERR_/ };

/** Opens a tab in front of a page. */
async function hide(page: Page): Promise<void> {
  await page.context().newPage();
  await eventually(async () => expect(await page.evaluate('document.visibilityState')).to.equal('hidden'));
}

async function show(page: Page): Promise<void> {
  await page.bringToFront();
  await eventually(async () => expect(await page.evaluate('document.visibilityState')).to.equal('visible'));
}

/** Lets minutes pass in which timers fire once a minute, as browsers throttle those of hidden pages. */
async function throttledMinutes(page: Page, count: number): Promise<void> {
  for (let minute = 0; minute < count; minute += 1) await page.clock.fastForward(60_000);
}

describe('In a browser, a page in the background', () => {
  it('shows changes while its timers are throttled', () =>
    withPage<typeof board>(
      'board',
      async ({ call, page, ucwa }) => {
        await page.clock.install();
        await call('watch', ucwa.url, [SARA]);
        await eventually(async () => expect(await call('shown')).to.deep.equal({ [SARA]: 'Offline' }));
        await hide(page);
        await page.clock.pauseAt(new Date(Date.now() + 10_000));
        const { length } = ucwa.requests;
        ucwa.setPresence(SARA, { availability: 'Busy' });
        // The events and the state need no timer, and the board needs one.
        await eventually(() => expect(ucwa.requests.slice(length)).to.have.length(2));
        await eventually(async () => {
          await throttledMinutes(page, 1);
          expect(await call('shown')).to.deep.equal({ [SARA]: 'Busy' });
        });
        expect((await call('statusHistory')).at(-1)).to.equal('live');
        expect(await call('gapCount')).to.equal(0);
      },
      IN_BACKGROUND,
    ));

  for (const back of ['before it is shown', 'when it is shown'] as const) {
    it(`is current two seconds later if the network returns ${back}`, () =>
      withOfflinePage<typeof board>(
        'board',
        'ucwa',
        async ({ call, page, ucwa, url, restore, status, cutWhenLive }) => {
          await page.clock.install();
          await call('watch', url, [SARA]);
          await cutWhenLive(() => hide(page));
          ucwa.setPresence(SARA, { availability: 'Busy' });
          await throttledMinutes(page, 5);
          expect(await status()).to.equal('waiting: network');
          if (back === 'before it is shown') {
            await restore();
            await throttledMinutes(page, 1);
          }
          await withinTwoSeconds(
            page,
            async () => {
              if (back === 'when it is shown') await restore();
              await show(page);
            },
            async () => {
              expect(await call('shown')).to.deep.equal({ [SARA]: 'Busy' });
              expect(await status()).to.equal('live');
            },
          );
          await page.clock.resume();
          await call('leave');
          await eventually(() => expect(ucwa.applications).to.be.empty);
        },
        IN_BACKGROUND,
      ));
  }

  it('counts mail two seconds after it is shown and online', () =>
    withOfflinePage<typeof mail>(
      'mail',
      'ews',
      async ({ call, page, ews, url, restore, status, cutWhenLive }) => {
        await page.clock.install();
        await call('watch', url);
        await cutWhenLive(() => hide(page));
        await throttledMinutes(page, 5);
        expect(await status()).to.equal('waiting: network');
        await withinTwoSeconds(
          page,
          async () => {
            await restore();
            await show(page);
          },
          async () => {
            expect(await status()).to.equal('live');
          },
        );
        ews.deliverMail();
        await eventually(async () => expect(await call('shown')).to.equal(1));
        await page.clock.resume();
        await call('leave');
        await eventually(() => expect(ews.subscriptions).to.be.empty);
      },
      IN_BACKGROUND,
    ));
});
