import fc from 'fast-check';
import type { RootHookObject } from 'mocha';
import { config } from 'rxjs';
import { SEED } from './random/caseCount.ts';

// One seed for all properties makes a run repeatable.
fc.configureGlobal({ seed: SEED });

/** Fails a test at an unhandled rejection, which mocha would ignore. */
function failOnUnhandledRejection(reason: unknown): never {
  throw new Error('unhandled rejection', { cause: reason });
}

/**
 * The hooks of every spec: an unhandled rejection fails the running test, and so does a missing error that
 * `expectUncaught` expects.
 */
export const mochaHooks: RootHookObject = {
  beforeAll() {
    process.on('unhandledRejection', failOnUnhandledRejection);
  },
  afterEach(this: Mocha.Context) {
    const isExpecting = config.onUnhandledError !== null;
    config.onUnhandledError = null;
    // Not for a failed test, because an error in a root hook ends the whole run.
    if (isExpecting && this.currentTest?.state !== 'failed') {
      throw new Error('the expected uncaught error did not happen');
    }
  },
  afterAll() {
    process.off('unhandledRejection', failOnUnhandledRejection);
  },
};
