import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { ROOT } from '../support/browser/bundle.ts';
import { launchBrowser } from '../support/browser/chromium.ts';
import { eventually } from '../support/browser/eventually.ts';
import {
  brokenLinks,
  buildSite,
  fileUrl,
  scenariosOf,
  SITE,
  sitePages,
  siteServer,
} from '../support/browser/site.ts';

/** Pages of every kind. */
const SAMPLE = [
  'index.html',
  'guide/unsubscribe.html',
  'recipes/migration.html',
  'reference/ucwa.html',
  'modules.html',
  'api/rxchange/operators/toBoard.html',
  'api/rxchange/ucwa/Ucwa.html',
];
/** As Lighthouse does: 1.6 Mbit/s, and 150 ms for a round trip. */
const SLOW_4G = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 90_000 };
const NARROW = { width: 360, height: 740 };
const WIDE = { width: 1280, height: 800 };

describe('The site', function () {
  this.timeout(300_000);
  let browser: Browser;

  before('build the site, and start the browser', async () => {
    await buildSite();
    browser = await launchBrowser();
  });

  after('close the browser', () => browser.close());

  /** Runs a spec in a page, and returns its errors and its requests to other origins. */
  async function inPage(
    options: BrowserContextOptions,
    spec: (page: Page) => Promise<void>,
  ): Promise<string[]> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const problems: string[] = [];
    const report = (problem: string): void => void problems.push(`${page.url()}: ${problem}`);
    context.on('weberror', (error) => report(String(error.error())));
    context.on('console', (message) => message.type() === 'error' && report(message.text()));
    context.on('request', (request) => {
      const { protocol, hostname } = new URL(request.url());
      if (!['file:', 'data:', 'blob:'].includes(protocol) && hostname !== '127.0.0.1')
        report(`a request to ${request.url()}`);
    });
    try {
      await spec(page);
    } finally {
      await context.close();
    }
    return problems;
  }

  /** Opens a page; its script shows it when it is ready. */
  async function open(page: Page, url: string): Promise<void> {
    await page.goto(url, { waitUntil: 'load' });
    await page.locator('h1:visible').first().waitFor();
  }

  it('has no broken link or anchor, and loads nothing from elsewhere', () => {
    expect(sitePages().flatMap(brokenLinks)).to.deep.equal([]);
  });

  it('opens every page from the disk, on a narrow screen', async () => {
    const tooWide: string[] = [];
    const problems = await inPage({ viewport: NARROW }, async (page) => {
      for (const path of sitePages()) {
        await open(page, fileUrl(path));
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        if (width > NARROW.width) tooWide.push(`${path}: ${width}`);
      }
    });
    expect(problems).to.deep.equal([]);
    expect(tooWide).to.deep.equal([]);
  });

  it('links to scenarios that the playground has', async () => {
    const links = sitePages().flatMap(scenariosOf);
    const unknown: string[] = [];
    await inPage({ viewport: WIDE }, async (page) => {
      for (const scenario of new Set(links)) {
        await page.goto('about:blank');
        await open(page, `${fileUrl('playground/index.html')}#scenario=${scenario}`);
        const current = page.locator(`[aria-current][href="#scenario=${scenario}"]`);
        if ((await current.count()) === 0) unknown.push(scenario);
      }
    });
    expect(unknown).to.deep.equal([]);
  });

  it('works below any path of a server', async () => {
    const server = await siteServer('/some/where');
    const problems = await inPage({ viewport: WIDE }, async (page) => {
      for (const path of SAMPLE) await open(page, `${server.url}/some/where/${path}`);
    }).finally(() => server.close());
    expect(problems).to.deep.equal([]);
  });

  it('finds a guide page by the keyboard', async () => {
    const problems = await inPage({ viewport: WIDE }, async (page) => {
      await open(page, fileUrl('api/rxchange/ews.html'));
      await page.keyboard.press('/');
      await page.locator('#tsd-search-input:focus').waitFor();
      await page.keyboard.type('unsubscribe flight');
      await eventually(async () =>
        expect(await page.locator('#tsd-search-results li').first().innerText()).to.contain(
          'What happens on',
        ),
      );
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await page.waitForURL(/guide\/unsubscribe\.html/);
    });
    expect(problems).to.deep.equal([]);
  });

  const appearances = { light: NARROW, dark: WIDE } as const;
  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has no serious problem of accessibility in ${colorScheme}`, async () => {
      const axe = readFileSync(join(ROOT, 'node_modules/axe-core/axe.min.js'), 'utf8');
      const found: string[] = [];
      await inPage({ viewport: appearances[colorScheme], colorScheme }, async (page) => {
        for (const path of SAMPLE) {
          await open(page, fileUrl(path));
          await page.evaluate(axe);
          found.push(...(await page.evaluate(seriousViolations)).map((violation) => `${path}: ${violation}`));
        }
      });
      expect(found).to.deep.equal([]);
    });
  }

  it('paints a page within 5 seconds on a slow mobile network', async () => {
    const server = await siteServer('');
    await inPage({ viewport: NARROW }, async (page) => {
      const network = await page.context().newCDPSession(page);
      await network.send('Network.emulateNetworkConditions', SLOW_4G);
      await open(page, `${server.url}/guide/unsubscribe.html`);
      const paintedAt = await page.evaluate(
        () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
      );
      expect(paintedAt).to.be.within(1, 5000);
    }).finally(() => server.close());
  });

  it('needs at most 60 kB of script for the first paint', async () => {
    const sizes = { script: 0, style: 0 };
    await inPage({ viewport: WIDE }, async (page) => {
      await open(page, fileUrl('index.html'));
      const files = await page.evaluate(() =>
        [...document.querySelectorAll('script[src]:not([async]), link[rel=stylesheet]')].map(
          (element) => (element.getAttribute('src') ?? element.getAttribute('href') ?? '').split('?')[0]!,
        ),
      );
      for (const file of files)
        sizes[file.endsWith('.js') ? 'script' : 'style'] += gzipSync(readFileSync(join(SITE, file))).length;
    });
    expect(sizes.script).to.be.within(1, 60_000);
    expect(sizes.style).to.be.within(1, 25_000);
  });
});

/** Runs in the page. */
async function seriousViolations(): Promise<string[]> {
  const { axe } = globalThis as unknown as {
    readonly axe: {
      run(): Promise<{
        readonly violations: readonly {
          readonly id: string;
          readonly impact: string;
          readonly nodes: readonly { readonly html: string }[];
        }[];
      }>;
    };
  };
  const { violations } = await axe.run();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .map(({ html }) => html.slice(0, 160))
          .slice(0, 3)
          .join(' ')}`,
    );
}
