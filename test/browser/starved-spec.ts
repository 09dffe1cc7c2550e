import { expect } from 'chai';
import { eventually } from '../support/browser/eventually.ts';
import { type OpenPage, type PageSpec, withPage } from '../support/browser/withPage.ts';
import type * as board from './pages/board.ts';
import type * as mail from './pages/mail.ts';

const SARA = 'sip:sara@contoso.com';
/** How many connections to one origin a browser opens over HTTP/1.1. */
const CONNECTIONS = 6;

interface HasStatus {
  statusHistory(): readonly string[];
}

async function statusOf<Module extends HasStatus>({ call }: OpenPage<Module>): Promise<string | undefined> {
  const history = call as unknown as (name: 'statusHistory') => Promise<readonly string[]>;
  return (await history('statusHistory')).at(-1);
}

/**
 * Starts a stream in each of seven tabs, and checks the status of the last one: with all connections in use,
 * and after another tab was closed.
 */
async function starve<Module extends HasStatus>(
  { call, page, open }: PageSpec<Module>,
  watch: (tab: OpenPage<Module>) => Promise<unknown>,
  isUsingAll: (count: number) => void,
): Promise<void> {
  const first = { call, page };
  // The clock of all tabs.
  await page.clock.install();
  await watch(first);
  for (let count = 1; count < CONNECTIONS; count += 1) {
    await eventually(() => isUsingAll(count));
    await watch(await open());
  }
  await eventually(() => isUsingAll(CONNECTIONS));
  const last = await open();
  await watch(last);
  expect(await statusOf(last)).to.equal('connecting');
  // The limit for the head of a response is two minutes.
  await last.page.clock.runFor(120_000);
  await eventually(async () => expect(await statusOf(last)).to.equal('waiting: starved'));
  await first.page.close();
  await eventually(async () => {
    await last.page.clock.runFor(500);
    expect(await statusOf(last)).to.equal('live');
  });
}

describe('In a browser without rxchange/tabs, the seventh tab', () => {
  it('reports that its board is starved of a connection', () =>
    withPage<typeof board>('board', (setup) => {
      const { ucwa } = setup;
      return starve(
        setup,
        (tab) => tab.call('watch', ucwa.url, [SARA]),
        (count) => void expect(ucwa.applications).to.have.length(count),
      );
    }));

  it('reports that its mail is starved of a connection', () =>
    withPage<typeof mail>('mail', (setup) => {
      const { ews } = setup;
      return starve(
        setup,
        (tab) => tab.call('watch', ews.url),
        (count) => void expect(ews.streams).to.have.length(count),
      );
    }));
});

describe('In a browser, a request for events', () => {
  it('is neither served by the cache nor queued for it', () =>
    withPage<typeof board>('board', async ({ call, ucwa }) => {
      await call('watch', ucwa.url, [SARA]);
      await eventually(async () => expect((await call('statusHistory')).at(-1)).to.equal('live'));
      const gets = ucwa.requests.filter(({ path }) => path.includes('/events'));
      // Chromium sends this header for `cache: 'no-store'`.
      for (const { headers } of gets) expect(headers).to.include({ 'cache-control': 'no-cache' });
      expect(gets).to.not.be.empty;
    }));
});
