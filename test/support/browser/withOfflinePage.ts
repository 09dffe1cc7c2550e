import { expect } from 'chai';
import { eventually } from './eventually.ts';
import { type Network, withNetwork } from './network.ts';
import type { ContextOptions } from './withContext.ts';
import { type PageSpec, withPage } from './withPage.ts';

/** A page that can report its statuses. */
interface StatusPage {
  readonly statusHistory: () => readonly string[];
}

/** What a spec of a page that goes offline works with. */
interface OfflinePageSpec<Module> extends PageSpec<Module>, Network {
  /** Resolves with the current status. */
  readonly status: () => Promise<string | undefined>;
  /** Waits until the page is live, cuts the network after an action, and waits until the page knows. */
  readonly cutWhenLive: (before?: () => Promise<void>) => Promise<void>;
}

/** Opens a page as {@link withPage} does, with a network to one of the servers that can be cut. */
export function withOfflinePage<Module extends StatusPage>(
  name: string,
  protocol: 'ucwa' | 'ews',
  spec: (setup: OfflinePageSpec<Module>) => Promise<void>,
  options: ContextOptions,
): Promise<void> {
  return withPage<Module>(
    name,
    (setup) =>
      withNetwork(setup.context, setup[protocol].url, async (network) => {
        const { call } = setup as unknown as PageSpec<StatusPage>;
        const status = async (): Promise<string | undefined> => (await call('statusHistory')).at(-1);
        const cutWhenLive = async (before?: () => Promise<void>): Promise<void> => {
          await eventually(async () => expect(await status()).to.equal('live'));
          await before?.();
          await network.cut();
          await eventually(async () => expect(await status()).to.equal('waiting: network'));
        };
        await spec({ ...setup, ...network, status, cutWhenLive });
      }),
    options,
  );
}
