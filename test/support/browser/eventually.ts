import { setTimeout } from 'node:timers/promises';

const INTERVAL_MS = 20;
const LONGEST_MS = 15_000;

/**
 * Repeats an assertion until it passes, and fails with its last error.
 *
 * For what another process does: a browser has no virtual time.
 */
export async function eventually(assertion: () => unknown): Promise<void> {
  const deadline = performance.now() + LONGEST_MS;
  for (;;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await setTimeout(INTERVAL_MS);
  }
}
