import { type Checkpoint, checkCheckpoint } from '../../core/checkpoint/checkpoint.ts';
import { numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import type { StreamingSubscriptionRequest } from '../protocol/envelope.ts';
import {
  checkEvents,
  checkFolders,
  graceMsOption,
  WATCHED_FOLDERS_NAMES,
  type WatchedFolders,
} from '../protocol/folders.ts';

/** What to watch. */
export interface StreamingOptions extends WatchedFolders {
  /**
   * How long one connection may last, in whole minutes from 1 to 30; then another takes its place. Of those
   * that share a connection the shortest counts.
   * @default 30
   */
  readonly connectionMinutes?: number;
  /**
   * Shares one subscription between all subscribers of the Observable, and keeps it for so many seconds after
   * the last has left.
   * @default each subscriber has its own
   */
  readonly graceSeconds?: number;
  /**
   * Keeps for the next process which subscription this stream has on the server. A stream that begins with
   * a checkpoint first removes that, and tells of a gap. It is shared, as with `graceSeconds`.
   * @default nothing is kept
   */
  readonly checkpoint?: Checkpoint;
}

const NAMES: OptionNames<StreamingOptions> = {
  ...WATCHED_FOLDERS_NAMES,
  connectionMinutes: 1,
  graceSeconds: 1,
  checkpoint: 1,
};

/** The options, checked and with their defaults. */
export interface ResolvedStreamingOptions {
  readonly request: StreamingSubscriptionRequest;
  readonly connectionMinutes: number;
  readonly graceMs: number | undefined;
  readonly checkpoint: Checkpoint | undefined;
}

/** Checks the options; throws a TypeError that names the one that cannot be used. */
export function resolveStreamingOptions(options: StreamingOptions): ResolvedStreamingOptions {
  const { connectionMinutes = 30, graceSeconds } = objectOption('options', options, NAMES);
  const checkpoint = checkCheckpoint(options.checkpoint);
  numberOption('connectionMinutes', connectionMinutes, { min: 1, max: 30, integer: true });
  return {
    request: { type: 'streaming', folders: checkFolders(options), events: checkEvents(options.events) },
    connectionMinutes,
    // Two subscriptions could not keep one place.
    graceMs: graceMsOption(graceSeconds ?? (checkpoint === undefined ? undefined : 0)),
    checkpoint,
  };
}
