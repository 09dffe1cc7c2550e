import { type Browser, chromium } from 'playwright-core';
import { browserPath } from './browserPath.ts';

const FLAGS = [
  ...['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
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
