import type { BrowserContext } from 'playwright-core';
import { cuttableProxy } from '../net/cuttableProxy.ts';

/** The network between the browser and a server. A browser that plays offline keeps its open connections. */
export interface Network {
  readonly url: string;
  readonly cut: () => Promise<void>;
  readonly restore: () => Promise<void>;
}

/** Runs a spec with a network between the browser and a server. */
export async function withNetwork(
  context: BrowserContext,
  server: string,
  spec: (network: Network) => Promise<void>,
): Promise<void> {
  const { port, pathname } = new URL(server);
  const proxy = await cuttableProxy(Number(port));
  const network = {
    url: `${proxy.origin}${pathname}`,
    cut: async () => {
      proxy.cut();
      await context.setOffline(true);
    },
    restore: async () => {
      proxy.restore();
      await context.setOffline(false);
    },
  };
  await spec(network).finally(() => proxy.close());
}
