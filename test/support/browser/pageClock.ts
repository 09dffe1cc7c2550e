import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { eventually } from './eventually.ts';

/**
 * Installs a clock in the page. Returns a function that lets a minute pass there, in which each request has
 * the time to fail.
 */
export async function minutes(page: Page): Promise<() => Promise<void>> {
  let pending = 0;
  page.on('request', () => (pending += 1));
  page.on('requestfinished', () => (pending -= 1));
  page.on('requestfailed', () => (pending -= 1));
  await page.clock.install();
  return async () => {
    for (let passedMs = 0; passedMs < 60_000; passedMs += 500) {
      await page.clock.runFor(500);
      await eventually(() => expect(pending).to.equal(0));
    }
  };
}

/** Stops the clock of the page, and lets two seconds pass there at most until the assertion passes. */
export async function withinTwoSeconds(
  page: Page,
  act: () => Promise<void>,
  assertion: () => Promise<void>,
): Promise<void> {
  // Later than the clock of the page, which may be ahead.
  await page.clock.pauseAt(new Date(Date.now() + 3 * 3_600_000));
  await act();
  let passedMs = 0;
  await eventually(async () => {
    if (passedMs < 2000) await page.clock.runFor(20);
    passedMs += 20;
    await assertion();
  });
}
