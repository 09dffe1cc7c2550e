import { expect } from 'chai';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import type { EwsSimulator } from '../../lib/testing/ews/simulator.ts';
import type { UcwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { ROOT } from '../support/browser/bundle.ts';
import { devServer } from '../support/browser/devServer.ts';
import { eventually } from '../support/browser/eventually.ts';
import { APPS, exampleServer, installExamples, runInExamples } from '../support/browser/exampleApps.ts';
import { withContext } from '../support/browser/withContext.ts';
import type { SpecServer } from '../support/net/httpServer.ts';

const SARA = 'sip:sara@contoso.com';

type Servers = readonly [UcwaSimulator, EwsSimulator];

describe('An example page', function () {
  this.timeout(120_000);
  let apps: SpecServer;

  before('install and build', async function () {
    this.timeout(300_000);
    await installExamples();
    console.log(await runInExamples('build.js'));
    apps = await exampleServer();
  });

  after('close the server', () => apps.close());

  it('compiles', () => runInExamples(join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', '.'));

  for (const app of APPS) {
    const open = async (context: BrowserContext, ...servers: Servers): Promise<Page> => {
      const page = await context.newPage();
      await page.goto(`${apps.url}/${app}/${query(...servers)}`);
      return page;
    };

    it(`with ${app} shows presence, mail and status, and leaves nothing`, () =>
      withContext(
        async ({ context, ucwa, ews }) => {
          const page = await open(context, ucwa, ews);
          await useApp(page, ucwa, ews);
          await leave(page, ucwa, ews);
        },
        { expectedErrors: /ERR_INTERNET_DISCONNECTED|ERR_INCOMPLETE|ERR_CONNECTION_RESET/ },
      ));

    it(`with ${app} shows an error, and mounts again`, () =>
      withContext(
        async ({ context, ucwa, ews }) => {
          ucwa.failNext(1, { status: 403 }, ({ url }) => url.endsWith('/presenceSubscriptions'));
          const page = await open(context, ucwa, ews);
          await page.getByRole('alert').waitFor();
          await page.getByRole('button').click();
          await page.getByRole('button').click();
          await eventually(async () => expect(await rowsOf(page)).to.deep.equal(['sara Offline']));
          await leave(page, ucwa, ews);
        },
        { expectedErrors: /403/ },
      ));
  }

  it('leaves nothing when its modules are replaced while it runs', async () => {
    const vite = await devServer('react');
    try {
      await withContext(async ({ context, ucwa, ews }) => {
        const page = await context.newPage();
        await page.goto(`${vite.url}/${query(ucwa, ews)}`);
        const isUp = (): Promise<void> =>
          eventually(async () => {
            expect(await rowsOf(page)).to.deep.equal(['sara Offline']);
            expect(leftOn(ucwa, ews)).to.deep.equal([1, 1, 1]);
          });
        await isUp();
        await page.evaluate('globalThis.isSamePage = true');
        vite.edit('react/App.tsx', "'Hide'", "'Hide it'");
        await page.getByText('Hide it').waitFor();
        await isUp();
        vite.edit('shared/streams.ts', "'0 new'", "'none'");
        await page.getByText('none').waitFor();
        await isUp();
        vite.edit(
          'shared/connections.ts',
          "whenUnreachable: 'wait'",
          "whenUnreachable: 'wait', culture: 'de-de'",
        );
        await eventually(() => expect(created(ucwa)).to.equal(2));
        await isUp();
        expect(await page.evaluate('globalThis.isSamePage')).to.equal(true);
        await leave(page, ucwa, ews);
      });
    } finally {
      await vite.close();
    }
  });
});

/** Returns the part of an address that has the servers. */
function query(...[ucwa, ews]: Servers): string {
  return `?${new URLSearchParams({ ucwa: ucwa.url, ews: ews.url })}`;
}

/** The one scenario of all apps. */
async function useApp(page: Page, ucwa: UcwaSimulator, ews: EwsSimulator): Promise<void> {
  const shows = (...contacts: readonly string[]): Promise<void> =>
    eventually(async () => expect(await rowsOf(page)).to.deep.equal(contacts));
  const watched = (...names: readonly string[]): Promise<void> =>
    eventually(() => {
      const uris = ucwa.presenceSubscriptions.map((one) => [...one.uris].sort());
      expect(uris).to.deep.equal([names.map((name) => `sip:${name}@contoso.com`)]);
    });
  const unsubscribed = (): Promise<void> =>
    eventually(() => expect(ucwa.presenceSubscriptions).to.deep.equal([]));
  const status = page.getByRole('status');
  const toggle = (name: string): Promise<void> => page.getByLabel(name).click();

  await shows('sara Offline');
  await watched('sara');
  await status.getByText('presence live, mail live').waitFor();
  ucwa.setPresence(SARA, { availability: 'Busy' });
  await shows('sara Busy');

  // The contact list changes, and becomes empty.
  await toggle('bob');
  await shows('sara Busy', 'bob Offline');
  await watched('bob', 'sara');
  await toggle('sara');
  await shows('bob Offline');
  await watched('bob');
  await toggle('bob');
  await shows();
  await watched();
  await toggle('sara');
  await shows('sara Busy');
  await watched('sara');

  ews.deliverMail();
  await page.getByText('1 new').waitFor();

  // Offline, the board shows that it may be outdated.
  await page.context().setOffline(true);
  ucwa.setPresence(SARA, { availability: 'Away' });
  ews.closeStreams('reset');
  await status.getByText(/presence waiting \(network.*mail waiting \(network/).waitFor();
  await page.locator('.stale').waitFor();
  await page.context().setOffline(false);
  await status.getByText('presence live, mail live').waitFor();
  await shows('sara Away');
  expect(await page.locator('.stale').count()).to.equal(0);

  // The board is unmounted and mounted.
  const button = page.getByRole('button');
  await button.click();
  await unsubscribed();
  for (let count = 0; count < 10; count++) await button.click();
  await unsubscribed();
  await button.click();
  await shows('sara Away');
  await watched('sara');
  expect(created(ucwa), 'applications created').to.equal(1);
  expect(leftOn(ucwa, ews)).to.deep.equal([1, 1, 1]);
}

async function rowsOf(page: Page): Promise<string[]> {
  return (await page.locator('li').allTextContents()).map((text) => text.trim());
}

async function leave(page: Page, ucwa: UcwaSimulator, ews: EwsSimulator): Promise<void> {
  await page.close();
  await eventually(() => expect(leftOn(ucwa, ews)).to.deep.equal([0, 0, 0]));
}

/** Returns the servers' counts of applications, presence subscriptions and notification subscriptions. */
function leftOn(ucwa: UcwaSimulator, ews: EwsSimulator): number[] {
  return [ucwa.applications, ucwa.presenceSubscriptions, ews.subscriptions].map(({ length }) => length);
}

function created({ requests, url }: UcwaSimulator): number {
  return requests.filter(({ method, path }) => method === 'POST' && path === new URL(url).pathname).length;
}
