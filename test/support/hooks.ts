import fc from 'fast-check';
import type { RootHookObject } from 'mocha';
import { config } from 'rxjs';
import { SEED } from './random/caseCount.ts';

// One seed for all properties, so that a run can be repeated.
fc.configureGlobal({ seed: SEED });

/** Mocha listens to unhandled rejections, but only passes them on: without this they would go unnoticed. */
function failOnUnhandledRejection(reason: unknown): never {
  throw new Error('unhandled rejection', { cause: reason });
}

/**
 * What holds for every spec: an unhandled rejection fails the running test, as an uncaught error does by
 * itself; and an error that `expectUncaught` claims must come.
 */
export const mochaHooks: RootHookObject = {
  beforeAll() {
    process.on('unhandledRejection', failOnUnhandledRejection);
  },
  afterEach(this: Mocha.Context) {
    const isExpecting = config.onUnhandledError !== null;
    config.onUnhandledError = null;
    // A test that failed says enough, and an error in a root hook would end the whole run.
    if (isExpecting && this.currentTest?.state !== 'failed') {
      throw new Error('the spec expects an uncaught error that never came');
    }
  },
  afterAll() {
    process.off('unhandledRejection', failOnUnhandledRejection);
  },
};
