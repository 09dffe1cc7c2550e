import axe from 'axe-core';
import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Locator, Page } from 'playwright-core';
import { ROOT } from '../support/browser/bundle.ts';
import { eventually } from '../support/browser/eventually.ts';
import { withContext } from '../support/browser/withContext.ts';
import { httpServer } from '../support/net/httpServer.ts';

const run = promisify(execFile);
/** The screenshots, for people who look at them. */
const SCREENSHOTS = join(ROOT, 'coverage/screenshots');

interface Appearance {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
  readonly javaScriptEnabled?: boolean;
}

describe('The inspector page', function () {
  this.timeout(60_000);
  let folder: string;

  before('build', async () => {
    folder = mkdtempSync(join(tmpdir(), 'rxchange-'));
    await run(process.execPath, [join(ROOT, 'docs/inspector/build.js'), folder]);
    mkdirSync(SCREENSHOTS, { recursive: true });
  });

  after('delete', () => rmSync(folder, { recursive: true }));

  /** Opens the page from the disk. It fails a spec if it requests anything but its own files. */
  const withInspector = (
    hash: string,
    spec: (page: Page) => Promise<void>,
    { colorScheme = 'light', width = 1280, javaScriptEnabled = true }: Appearance = {},
    file = join(folder, 'index.html'),
  ): Promise<void> =>
    withContext(async ({ context }) => {
      const browser = context.browser();
      if (browser === null) throw new Error('the browser has been closed');
      const own = await browser.newContext({
        ...{ colorScheme, javaScriptEnabled, viewport: { width, height: 900 } },
      });
      const errors: string[] = [];
      const requested: string[] = [];
      own.on('weberror', (error) => errors.push(String(error.error())));
      own.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
      own.on('request', (request) => requested.push(request.url()));
      try {
        const page = await own.newPage();
        await page.goto(pathToFileURL(file).href + hash);
        await spec(page);
        if (file.startsWith(folder)) expect(errors).to.deep.equal([]);
        const base = pathToFileURL(join(file, '..')).href;
        expect(requested.filter((url) => !url.startsWith(base) && !url.startsWith('data:'))).to.deep.equal(
          [],
        );
      } finally {
        await own.close();
      }
    });

  const idle = '#scenario=none&latency=20';
  const left = (page: Page): Promise<string | null> => page.getByTestId('left').textContent();
  const leaves = (page: Page, text: string): Promise<void> =>
    eventually(async () => expect(await left(page)).to.equal(text));
  const lanes = (page: Page): Locator => page.locator('.lane');
  const subscribe = async (page: Page, stream: string): Promise<void> => {
    await page.getByLabel('Stream', { exact: true }).selectOption(stream);
    await page.getByRole('button', { name: 'Subscribe', exact: true }).click();
  };

  it('starts the first scenario without a click, and logs no error', () =>
    withInspector('', async (page) => {
      await lanes(page).getByText('presenceBoard').waitFor();
      expect(await page.locator('nav [aria-current]').textContent()).to.equal('Subscribe and unsubscribe');
      await page.getByTestId('left').getByText('2 resources').waitFor();
    }));

  it('opens the scenario of its URL, and another when that changes', () =>
    withInspector('#scenario=mid-acquire&latency=20', async (page) => {
      const current = page.locator('nav [aria-current]');
      expect(await current.getAttribute('href')).to.equal('#scenario=mid-acquire');
      await lanes(page).getByText('presence').first().waitFor();
      await page.getByRole('link', { name: 'The network goes away' }).click();
      expect(await current.getAttribute('href')).to.equal('#scenario=network');
      await lanes(page).getByText('streamingNotifications').waitFor();
    }));

  for (const colorScheme of ['light', 'dark'] as const)
    for (const [name, width] of Object.entries({ wide: 1280, narrow: 360 }))
      it(`has no serious accessibility problem when it is ${colorScheme} and ${name}`, () =>
        withInspector(
          '',
          async (page) => {
            await lanes(page).getByText('pullNotifications').waitFor();
            await eventually(async () => expect(await page.locator('.wire tbody tr').count()).to.be.above(3));
            await page.getByText('as a table').click();
            await page.getByText('Keys', { exact: true }).click();
            expect(await problems(page)).to.deep.equal([]);
            const path = join(SCREENSHOTS, `inspector-${name}-${colorScheme}.png`);
            await page.screenshot({ path, fullPage: true });
            const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
            expect(overflow, 'pixels that are cut off').to.be.at.most(0);
          },
          { colorScheme, width },
        ));

  it('changes its colours with its switch, and keeps them', () =>
    withInspector(idle, async (page) => {
      const background = (): Promise<string> =>
        page.evaluate("getComputedStyle(document.querySelector('#inspector')).backgroundColor");
      const light = await background();
      await page.getByLabel('Colours').selectOption('dark');
      const dark = await background();
      expect(dark).not.to.equal(light);
      await page.reload();
      expect(await background()).to.equal(dark);
    }));

  for (const [stream, resources] of Object.entries({
    presence: '2 resources',
    presenceBoard: '2 resources',
    sharedBoard: '2 resources',
    pullNotifications: '1 resource',
    streamingNotifications: '1 resource',
  }))
    it(`creates and removes the subscription of ${stream}`, () =>
      withInspector(idle, async (page) => {
        await subscribe(page, stream);
        await leaves(page, resources);
        await page.getByRole('button', { name: /^Unsubscribe (?!mid)/ }).click();
        await eventually(async () => expect(await lanes(page).textContent()).to.contain('released'));
        await eventually(async () => expect(await left(page)).not.to.equal(resources));
        await page.locator('.outcome.good').first().waitFor();
      }));

  it('removes a subscription that is unsubscribed while its request is in flight', () =>
    withInspector(idle, async (page) => {
      await page.getByLabel('Stream', { exact: true }).selectOption('pullNotifications');
      await page.getByRole('button', { name: 'Unsubscribe mid-request' }).click();
      await page.locator('.outcome.good').first().waitFor();
      await leaves(page, 'nothing');
    }));

  it('sets presence, delivers mail, and shows both', () =>
    withInspector(idle, async (page) => {
      await subscribe(page, 'presenceBoard');
      await page.getByTestId('shown sara').waitFor();
      await page.getByLabel('Presence of sara').selectOption('Busy');
      await page.getByTestId('shown sara').getByText('Busy').waitFor();
      await subscribe(page, 'streamingNotifications');
      await eventually(async () => expect(await page.locator('.status.live').count()).to.equal(2));
      await page.getByRole('button', { name: 'Deliver mail' }).click();
      await page.getByTestId('mail').getByText('1').waitFor();
    }));

  it('shows the status and the retries of a network that is cut', () =>
    withInspector(idle, async (page) => {
      await subscribe(page, 'streamingNotifications');
      await page.locator('.status.live').waitFor();
      await page.getByRole('button', { name: 'Cut network' }).click();
      await page
        .locator('.status.waiting')
        .getByText(/network · attempt \d+ · retry/)
        .waitFor();
      await page.getByText('may be outdated').waitFor();
      await page.getByRole('button', { name: 'Restore network' }).click();
      await page.locator('.status.live').waitFor();
    }));

  it('shows a gap when the server forgets everything', () =>
    withInspector(idle, async (page) => {
      await page.getByText('as a table').click();
      await subscribe(page, 'pullNotifications');
      await leaves(page, '1 resource');
      await page.getByRole('button', { name: 'Forget everything' }).click();
      await page.getByRole('cell', { name: 'gap', exact: true }).waitFor({ timeout: 20_000 });
      await leaves(page, '1 resource');
    }));

  it('shows Unknown after a lost response', () =>
    withInspector(idle, async (page) => {
      await page.getByRole('button', { name: 'Lose response' }).click();
      await page.getByLabel('Stream', { exact: true }).selectOption('pullNotifications');
      await page.getByRole('button', { name: 'Unsubscribe mid-request' }).click();
      await page.locator('.outcome').getByText('Unknown').waitFor();
      await leaves(page, '1 resource');
    }));

  it('creates a stream again after the server has restarted', () =>
    withInspector(idle, async (page) => {
      await subscribe(page, 'streamingNotifications');
      await page.locator('.status.live').waitFor();
      const requests = page.locator('.wire tbody tr');
      const before = await requests.count();
      await page.getByRole('button', { name: 'Restart server' }).click();
      await eventually(async () => expect(await requests.count()).to.be.above(before));
      await page.locator('.status.live').waitFor();
    }));

  it('is operated by keys', () =>
    withInspector(idle, async (page) => {
      await page.keyboard.press('s');
      await leaves(page, '2 resources');
      await page.getByTestId('shown sara').waitFor();
      await page.keyboard.press('p');
      await page.getByTestId('shown sara').getByText('Busy').waitFor();
      await page.keyboard.press('n');
      await page.getByRole('button', { name: 'Restore network' }).waitFor();
      await page.keyboard.press('n');
      await page.getByRole('button', { name: 'Cut network' }).waitFor();
      await page.keyboard.press('u');
      await page.locator('.outcome.good').first().waitFor();
      await page.keyboard.press('?');
      await page.getByText('unsubscribe the newest stream').waitFor();
      await page.keyboard.press('Space');
      await page.getByRole('button', { name: 'Follow' }).waitFor();
      await page.keyboard.press('End');
      await page.getByRole('button', { name: 'Pause' }).waitFor();
    }));

  it('reads the events of a lane by arrow keys, and stops meanwhile', () =>
    withInspector(idle, async (page) => {
      await subscribe(page, 'presenceBoard');
      await page.getByTestId('shown sara').getByText('Offline').waitFor();
      const track = page.getByRole('group', { name: /^presenceBoard/ });
      await track.focus();
      await page.keyboard.press('ArrowLeft');
      await track.getByRole('status').getByText('value').first().waitFor();
      for (let press = 0; press < 5; press += 1) await page.keyboard.press('ArrowLeft');
      await track.getByRole('status').getByText('subscribed').waitFor();
      await page.getByRole('button', { name: 'Follow' }).waitFor();
      await page.keyboard.press('Escape');
      expect(await track.getByRole('status').count()).to.equal(0);
    }));

  it('does not move while it is paused, and goes back', () =>
    withInspector(idle, async (page) => {
      const axis = page.locator('canvas.axis');
      const picture = (): Promise<string> =>
        axis.evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
      await page.getByRole('button', { name: 'Pause' }).click();
      const paused = await picture();
      await subscribe(page, 'presence');
      await leaves(page, '2 resources');
      expect(await picture()).to.equal(paused);
      await page.getByRole('button', { name: 'Back' }).click();
      await eventually(async () => expect(await picture()).not.to.equal(paused));
      await page.getByRole('button', { name: 'Follow' }).click();
      await page.getByRole('button', { name: 'Pause' }).waitFor();
    }));

  it('says what to do without its build, or without JavaScript', async () => {
    const source = join(ROOT, 'docs/inspector/index.html');
    await withInspector('', (page) => page.getByText('npx rxchange inspect').waitFor(), {}, source);
    await withInspector('', (page) => page.getByText('JavaScript is off').waitFor(), {
      javaScriptEnabled: false,
    });
  });

  it('mounts in an application, with its style apart', () =>
    withContext(async ({ context }) => {
      const server = await httpServer(({ url = '' }, response) => {
        const isScript = url === '/embed.js';
        response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
        response.end(isScript ? readFileSync(join(folder, 'embed.js')) : APPLICATION);
      });
      try {
        const page = await context.newPage();
        await page.goto(server.url);
        await page.getByText('presenceBoard').waitFor();
        expect(await page.getByText('Subscribe', { exact: true }).count()).to.equal(0);
        await page.getByRole('button', { name: 'Unmount' }).click();
        expect(await page.locator('div').count()).to.equal(0);
      } finally {
        await server.close();
      }
    }));
});

/** Returns the serious and critical findings of axe. */
async function problems(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<axe.AxeResults>('axe.run({ preload: false })');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('\n')}`);
}

const APPLICATION = `<!doctype html>
<link rel="icon" href="data:,">
<button>Unmount</button>
<script type="module">
import { mountInspector } from './embed.js';
const at = Date.now();
const records = [
  { type: 'connection', connection: 'UCWA', seq: 1, at, protocol: 'UCWA' },
  { type: 'status', connection: 'UCWA', seq: 2, at, state: 'live', since: at },
  { type: 'stream', connection: 'UCWA', seq: 3, at, stream: 'UCWA 1', name: 'presenceBoard', detail: 'sip:sara@contoso.com', state: 'subscribed' },
];
const unmount = mountInspector(document.body, {
  subscribe: ({ next }) => {
    records.forEach(next);
    return { unsubscribe: () => undefined };
  },
});
document.querySelector('button').onclick = unmount;
</script>
`;
