import type { Browser, BrowserContext, Page } from 'playwright-core';
import { serve, type Served } from '../../../lib/testing/http/serve.ts';
import { type EwsSimulator, ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { type UcwaSimulator, ucwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { launchBrowser } from './chromium.ts';
import { pageServer } from './pageServer.ts';

/** A page in the browser, whose script is a module of `test/browser/pages`. */
export interface OpenPage<Module> {
  readonly page: Page;
  /** Calls a function that the module exports. Arguments and result are copied as JSON values. */
  readonly call: <Name extends FunctionName<Module>>(
    name: Name,
    ...args: ParametersOf<Module[Name]>
  ) => Promise<ResultOf<Module[Name]>>;
}

type FunctionName<Module> = {
  [Name in keyof Module]: Module[Name] extends (...args: never[]) => unknown ? Name : never;
}[keyof Module] &
  string;
type ParametersOf<Member> = Member extends (...args: infer Parameters) => unknown ? Parameters : never;
type ResultOf<Member> = Member extends (...args: never[]) => infer Result ? Awaited<Result> : never;

/** What a spec of a page works with. */
export interface PageSpec<Module> extends OpenPage<Module> {
  /** Opens the same page, or another one, in another tab. */
  readonly open: (name?: string) => Promise<OpenPage<Module>>;
  /** The profile that all tabs of the spec share. */
  readonly context: BrowserContext;
  /** The simulators, whose `url` is the served one. */
  readonly ucwa: UcwaSimulator;
  readonly ews: EwsSimulator;
}

/** Options of {@link withPage}. */
export interface PageOptions {
  readonly ucwa?: UcwaSimulator;
  readonly ews?: EwsSimulator;
  /** The console errors that are expected, such as those of requests that fail. @default none */
  readonly expectedErrors?: RegExp;
}

let browser: Browser | undefined;

before('start the browser', async () => {
  browser = await launchBrowser();
});

after('close the browser', async () => {
  await browser?.close();
});

/**
 * Opens a page of `test/browser/pages` in a new profile, next to a simulator of each protocol.
 *
 * The page, and each simulator, has an origin of its own. The spec fails at a console error, an uncaught
 * error and an unhandled rejection of any of its pages.
 *
 * @param name The name of the file without its ending; its type is the type parameter.
 */
export async function withPage<Module>(
  name: string,
  spec: (setup: PageSpec<Module>) => Promise<void>,
  { expectedErrors, ...simulators }: PageOptions = {},
): Promise<void> {
  if (browser === undefined) throw new Error('the browser is not started');
  const pages = await pageServer();
  const ucwa = await served(simulators.ucwa ?? ucwaSimulator({ mediumSeconds: 0 }));
  const ews = await served(simulators.ews ?? ewsSimulator());
  const context = await browser.newContext();
  const errors: string[] = [];
  const report = (error: string): void => {
    if (expectedErrors?.test(error) !== true) errors.push(error);
  };
  context.on('weberror', (webError) => report(String(webError.error().stack ?? webError.error())));
  context.on('console', (message) => {
    if (message.type() === 'error') report(`${message.text()} (${message.location().url})`);
  });

  const open = async (opened = name): Promise<OpenPage<Module>> => {
    const page = await context.newPage();
    await page.goto(`${pages.url}/${opened}.html`);
    return {
      page,
      call: (member, ...args) =>
        page.evaluate(
          ([called, given]) => {
            const { exported } = globalThis as unknown as {
              readonly exported: Readonly<Record<string, (...args: unknown[]) => unknown>>;
            };
            return exported[called]?.(...given);
          },
          [member as string, args as unknown[]] as const,
        ) as never,
    };
  };

  try {
    await spec({ ...(await open()), open, context, ucwa: ucwa.simulator, ews: ews.simulator });
  } catch (error) {
    throw errors.length === 0 ? error : new Error(`${String(error)}\n${inPage(errors)}`, { cause: error });
  } finally {
    await context.close();
    await Promise.all([pages.close(), ucwa.server.close(), ews.server.close()]);
  }
  if (errors.length > 0) throw new Error(inPage(errors));
}

function inPage(errors: readonly string[]): string {
  return `the page reported:\n${errors.join('\n')}`;
}

async function served<Simulator extends UcwaSimulator | EwsSimulator>(
  simulator: Simulator,
): Promise<{ readonly simulator: Simulator; readonly server: Served }> {
  const server = await serve(simulator.transport);
  const url = new URL(new URL(simulator.url).pathname, server.origin).href;
  // Inherited, because the properties of a simulator are getters.
  const inherited = Object.create(simulator, { url: { value: url } }) as Simulator;
  return { simulator: inherited, server };
}
