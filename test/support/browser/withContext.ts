import type { Browser, BrowserContext } from 'playwright-core';
import { serve, type Served } from '../../../lib/testing/http/serve.ts';
import { type EwsSimulator, ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { type UcwaSimulator, ucwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { type BrowserWindow, launchBrowser, openWindow } from './chromium.ts';

/** A new profile of the browser, next to a simulator of each protocol. */
export interface ContextSpec {
  /** The profile that all tabs of the spec share. */
  readonly context: BrowserContext;
  /** The simulators, whose `url` is the served one. */
  readonly ucwa: UcwaSimulator;
  readonly ews: EwsSimulator;
}

/** Options of {@link withContext}. */
export interface ContextOptions {
  readonly ucwa?: UcwaSimulator;
  readonly ews?: EwsSimulator;
  /** The console errors that are expected, such as those of requests that fail. @default none */
  readonly expectedErrors?: RegExp;
  /** Whether the tabs are in one window: all but one are hidden, and can be frozen. @default false */
  readonly inWindow?: boolean;
}

let browser: Browser | undefined;

before('start the browser', async () => {
  browser = await launchBrowser();
});

after('close the browser', async () => {
  await browser?.close();
});

/**
 * Runs a spec in a new profile, next to a simulator of each protocol.
 *
 * Each simulator has an origin of its own. The spec fails at a console error, an uncaught error and an
 * unhandled rejection of any page.
 */
export async function withContext(
  spec: (setup: ContextSpec) => Promise<void>,
  { expectedErrors, inWindow = false, ...simulators }: ContextOptions = {},
): Promise<void> {
  if (browser === undefined) throw new Error('the browser is not started');
  const ucwa = await served(simulators.ucwa ?? ucwaSimulator({ mediumSeconds: 0 }));
  const ews = await served(simulators.ews ?? ewsSimulator());
  const { context, close } = inWindow ? await openWindow() : await openProfile(browser);
  const errors: string[] = [];
  const report = (error: string): void => {
    if (expectedErrors?.test(error) !== true) errors.push(error);
  };
  context.on('weberror', (webError) => report(String(webError.error().stack ?? webError.error())));
  context.on('console', (message) => {
    if (message.type() === 'error') report(`${message.text()} (${message.location().url})`);
  });
  try {
    await spec({ context, ucwa: ucwa.simulator, ews: ews.simulator });
  } catch (error) {
    throw errors.length === 0 ? error : new Error(`${String(error)}\n${inPage(errors)}`, { cause: error });
  } finally {
    await close();
    await Promise.all([ucwa.server.close(), ews.server.close()]);
  }
  if (errors.length > 0) throw new Error(inPage(errors));
}

async function openProfile(from: Browser): Promise<BrowserWindow> {
  const context = await from.newContext();
  return { context, close: () => context.close() };
}

function inPage(errors: readonly string[]): string {
  return `the page reported:\n${errors.join('\n')}`;
}

async function served<Simulator extends UcwaSimulator | EwsSimulator>(
  simulator: Simulator,
): Promise<{ readonly simulator: Simulator; readonly server: Served }> {
  // With any port, so that a spec can put a proxy in between.
  const server = await serve(simulator.transport, { allowedHosts: ['127.0.0.1'] });
  const url = new URL(new URL(simulator.url).pathname, server.origin).href;
  // Inherited, because the properties of a simulator are getters.
  const inherited = Object.create(simulator, { url: { value: url } }) as Simulator;
  return { simulator: inherited, server };
}
