import type { BrowserContext, Page } from 'playwright-core';
import { pageServer } from './pageServer.ts';
import { type ContextOptions, type ContextSpec, withContext } from './withContext.ts';

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
export interface PageSpec<Module> extends OpenPage<Module>, ContextSpec {
  /** Opens the same page, or another one, in another tab. */
  readonly open: (name?: string) => Promise<OpenPage<Module>>;
}

/**
 * Opens a page of `test/browser/pages` in a new profile, next to a simulator of each protocol.
 *
 * It is served from an origin of its own. {@link withContext} says what fails the spec.
 *
 * @param name The name of the file without its ending; its type is the type parameter.
 */
export async function withPage<Module>(
  name: string,
  spec: (setup: PageSpec<Module>) => Promise<void>,
  options?: ContextOptions,
): Promise<void> {
  const pages = await pageServer();
  try {
    await withContext(async (setup) => {
      const open = (opened = name): Promise<OpenPage<Module>> =>
        openPage(setup.context, `${pages.url}/${opened}.html`);
      await spec({ ...setup, ...(await open()), open });
    }, options);
  } finally {
    await pages.close();
  }
}

async function openPage<Module>(context: BrowserContext, url: string): Promise<OpenPage<Module>> {
  const page = await context.newPage();
  await page.goto(url);
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
}
