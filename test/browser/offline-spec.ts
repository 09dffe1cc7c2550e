import { expect } from 'chai';
import { eventually } from '../support/browser/eventually.ts';
import { withNetwork } from '../support/browser/network.ts';
import { minutes, withinTwoSeconds } from '../support/browser/pageClock.ts';
import { withPage } from '../support/browser/withPage.ts';
import type * as board from './pages/board.ts';
import type * as mail from './pages/mail.ts';

const SARA = 'sip:sara@contoso.com';
const OFFLINE = { expectedErrors: /net::ERR_/ };

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
