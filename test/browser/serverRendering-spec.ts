import { expect } from 'chai';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { childServer } from '../support/browser/childServer.ts';
import { eventually } from '../support/browser/eventually.ts';
import { EXAMPLES, exampleServer, installExamples, runInExamples } from '../support/browser/exampleApps.ts';
import { type ContextSpec, withContext } from '../support/browser/withContext.ts';

const SARA = 'sip:sara@contoso.com';
const NEXT = join(EXAMPLES, 'node_modules/next/dist/bin/next');

/** The output of render.js for one app. */
interface Rendered {
  readonly html: string;
  readonly states: readonly string[];
}

/** Returns the part of an address that has the servers. */
function query({ ucwa, ews }: ContextSpec): string {
  return `?${new URLSearchParams({ ucwa: ucwa.url, ews: ews.url })}`;
}

function expectNoRequests({ ucwa, ews }: ContextSpec): void {
  expect([...ucwa.requests, ...ews.requests]).to.deep.equal([]);
}

/** Opens a page that a server has rendered, and checks that the browser continues with its elements. */
async function hydrate(page: Page, { ucwa, ews }: ContextSpec, url: string): Promise<void> {
  const warnings: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'warning') warnings.push(message.text());
  });
  let letRun = (): void => undefined;
  const isMarked = new Promise<void>((resolve) => (letRun = resolve));
  // Scripts wait until an element of the server is marked.
  await page.route(/\.js\b/, async (route) => {
    await isMarked;
    await route.continue();
  });
  await page.goto(url, { waitUntil: 'commit' });
  const status = page.getByRole('status');
  await status.getByText('presence idle, mail idle').waitFor();
  await status.evaluate((element) => void Object.assign(element, { isOfServer: true }));
  letRun();
  await page.getByText('presence live, mail live').waitFor();
  expect(await status.evaluate((element) => 'isOfServer' in element)).to.equal(true);
  ucwa.setPresence(SARA, { availability: 'Busy' });
  await page.getByText('sara Busy').waitFor();
  ews.deliverMail();
  await page.getByText('1 new').waitFor();
  expect(warnings).to.deep.equal([]);
  await page.close();
  await eventually(() => {
    expect(ucwa.applications).to.be.empty;
    expect(ews.subscriptions).to.be.empty;
  });
}

describe('An example page that a server renders', function () {
  this.timeout(120_000);

  before('install and build', async function () {
    this.timeout(300_000);
    await installExamples();
    await runInExamples('build.js');
    await runInExamples(NEXT, 'build', 'nextjs', '--webpack');
  });

  it('subscribes to nothing there, and continues in the browser', () =>
    withContext(async (setup) => {
      const output = await runInExamples('render.js', query(setup));
      const rendered = Object.entries(JSON.parse(output) as Record<string, Rendered>);
      expect(rendered.map(([app]) => app)).to.deep.equal(['react', 'angular', 'vue', 'svelte', 'solid']);
      expectNoRequests(setup);
      const apps = await exampleServer(Object.fromEntries(rendered.map(([app, { html }]) => [app, html])));
      try {
        for (const [app, { html, states }] of rendered) {
          expect(html).to.contain('<ul').and.to.contain('0 new');
          expect(states, `states of the connections with ${app}`).to.deep.equal(['idle']);
          // Solid compiles other code for pages that a server renders.
          if (app === 'solid') continue;
          await hydrate(await setup.context.newPage(), setup, `${apps.url}/${app}/${query(setup)}`);
        }
      } finally {
        await apps.close();
      }
    }));

  it('subscribes to nothing in Next.js, and continues in the browser', () =>
    withContext(async (setup) => {
      const search = query(setup);
      const location = `data:text/javascript,globalThis.location={search:${encodeURIComponent(JSON.stringify(search))}}`;
      const next = await childServer(
        '--import',
        location,
        NEXT,
        'start',
        join(EXAMPLES, 'nextjs'),
        '-H',
        '127.0.0.1',
        '-p',
        '0',
      );
      try {
        const response = await fetch(next.url);
        expect(await response.text())
          .to.contain('presence idle, mail idle')
          .and.to.contain('<ul');
        expectNoRequests(setup);
        await hydrate(await setup.context.newPage(), setup, `${next.url}/${search}`);
      } finally {
        await next.close();
      }
    }));
});
