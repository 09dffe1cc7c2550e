import type { RootHookObject } from 'mocha';
import { config } from 'rxjs';

/** What holds for every spec. Mocha itself fails the running test on unhandled rejections and uncaught errors. */
export const mochaHooks: RootHookObject = {
  afterEach() {
    if (config.onUnhandledError === null) return;
    config.onUnhandledError = null;
    throw new Error('the spec expects an uncaught error that never came');
  },
};
