import { expect } from 'chai';
import { eventually } from '../support/browser/eventually.ts';
import { minutes, withinTwoSeconds } from '../support/browser/pageClock.ts';
import { withOfflinePage } from '../support/browser/withOfflinePage.ts';
import type * as board from './pages/board.ts';
import type * as mail from './pages/mail.ts';

const SARA = 'sip:sara@contoso.com';
const OFFLINE = { expectedErrors: /net::ERR_/ };

describe('In a browser, a page that is offline', () => {
  it('says that its board waits, and is current two seconds after', () =>
    withOfflinePage<typeof board>(
      'board',
      'ucwa',
      async ({ call, page, ucwa, url, restore, status, cutWhenLive }) => {
        const aMinute = await minutes(page);
        await call('watch', url, [SARA]);
        await cutWhenLive();
        ucwa.setPresence(SARA, { availability: 'Busy' });
        await aMinute();
        expect(await status()).to.equal('waiting: network');
        expect(await call('shown')).to.deep.equal({ [SARA]: 'Offline' });
        await withinTwoSeconds(page, restore, async () => {
          expect(await call('shown')).to.deep.equal({ [SARA]: 'Busy' });
          expect(await status()).to.equal('live');
        });
      },
      OFFLINE,
    ));

  it('says that its mail waits, and is live two seconds after', () =>
    withOfflinePage<typeof mail>(
      'mail',
      'ews',
      async ({ call, page, ews, url, restore, status, cutWhenLive }) => {
        const aMinute = await minutes(page);
        await call('watch', url);
        await cutWhenLive();
        await aMinute();
        expect(await status()).to.equal('waiting: network');
        await withinTwoSeconds(page, restore, async () => {
          expect(await status()).to.equal('live');
        });
        ews.deliverMail();
        await eventually(async () => expect(await call('shown')).to.equal(1));
      },
      OFFLINE,
    ));

  it('shows its board two seconds after it was loaded offline', () =>
    withOfflinePage<typeof board>(
      'board',
      'ucwa',
      async ({ call, page, url, cut, restore, status }) => {
        const aMinute = await minutes(page);
        await cut();
        await call('watch', url, [SARA]);
        await eventually(async () => expect(await status()).to.equal('waiting: network'));
        await aMinute();
        await withinTwoSeconds(page, restore, async () => {
          expect(await call('shown')).to.deep.equal({ [SARA]: 'Offline' });
          expect(await status()).to.equal('live');
        });
      },
      OFFLINE,
    ));

  it('is current two seconds after an hour of sleep', () =>
    withOfflinePage<typeof board>(
      'board',
      'ucwa',
      async ({ call, page, ucwa, url, cut, restore, status }) => {
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
      },
      { expectedErrors: /net::ERR_|status of 404/ },
    ));
});
