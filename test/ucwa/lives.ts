import type { CheckpointStore, Json } from '../../lib/core/checkpoint/checkpoint.ts';
import type { ReleaseOutcome } from '../../lib/core/lifecycle/releaseOutcome.ts';
import type { UcwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { type Ucwa } from '../../lib/ucwa/session/session.ts';
import type { UcwaOptions } from '../../lib/ucwa/options.ts';
import { killableProcess } from '../support/processes/killableProcess.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { checkpointed } from '../../lib/ucwa/application/checkpointed.ts';

/** The key of the checkpoints. */
export const KEY = 'ucwa';

/** One process: a connection with a checkpoint, until it is killed. */
export interface Life {
  readonly ucwa: Ucwa;
  readonly outcomes: readonly ReleaseOutcome[];
  readonly recorded: () => string[];
  /** Kills the process: from now on it sends, saves and emits nothing. */
  readonly kill: () => void;
}

export function life(
  server: UcwaSimulator,
  store: CheckpointStore,
  options: Partial<UcwaOptions> = {},
): Life {
  const process = killableProcess(server.transport, store);
  const ucwa = connectUcwa({
    server: server.url,
    auth: bearer('token'),
    transport: process.transport,
    retry: { random: () => 0.5 },
    checkpoint: checkpointed(process.store, KEY),
    ...options,
  });
  const outcomes: ReleaseOutcome[] = [];
  process.untilKilled(() => ucwa.releases.outcomes$).subscribe((outcome) => outcomes.push(outcome));
  return {
    ucwa,
    outcomes,
    recorded: () => outcomes.map(({ resource, outcome }) => `${resource} ${outcome}`),
    kill: () => {
      process.kill();
      // Nothing is sent to the server, but the timers of the process end.
      void ucwa.close();
    },
  };
}

export interface Saved {
  readonly application?: { readonly identity: Record<string, string>; readonly self?: string };
  readonly next?: string;
  readonly held: readonly { readonly resource: string; readonly id?: string; readonly removedAt?: string }[];
}

export function savedIn(store: CheckpointStore): Saved | undefined {
  let saved: Json | undefined;
  store.load(KEY).subscribe((value) => (saved = value));
  return saved as unknown as Saved | undefined;
}
