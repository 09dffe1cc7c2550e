import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Browser, type BrowserContext, chromium } from 'playwright-core';
import { browserPath } from './browserPath.ts';

const FLAGS = [
  ...['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
  // Pages of other origins than this machine.
  '--host-resolver-rules=MAP *.example 127.0.0.1',
];
/** Playwright's own flags that change the behavior of a page that users leave. */
const UNWANTED_FLAGS = ['--disable-back-forward-cache', '--disable-renderer-backgrounding'];

/** Starts a headless browser with a new, empty profile. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: browserPath(),
    args: FLAGS,
    ignoreDefaultArgs: UNWANTED_FLAGS,
    chromiumSandbox: false,
  });
}

/** A browser window, in which only one tab is visible. */
export interface BrowserWindow {
  readonly context: BrowserContext;
  readonly close: () => Promise<void>;
}

/**
 * Starts a headless browser of its own, without the changes that Playwright makes to pages.
 *
 * Playwright makes every tab visible, and a visible tab cannot be frozen.
 */
export async function openWindow(): Promise<BrowserWindow> {
  const profile = await mkdtemp(join(tmpdir(), 'rxchange-'));
  const flags = ['--headless', '--no-sandbox', '--remote-debugging-port=0', `--user-data-dir=${profile}`];
  const child = spawn(browserPath(), [...flags, ...FLAGS], { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stderr).on('line', (line) => {
      const [found] = /ws:\S+/.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error('the browser has exited')));
  });
  const browser = await chromium.connectOverCDP(url, { noDefaults: true });
  const [context] = browser.contexts();
  if (context === undefined) throw new Error('the browser has no profile');
  return {
    context,
    close: async () => {
      await browser.close();
      child.kill();
      await exited;
      await rm(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
