import { type Checkpoint, checkCheckpoint } from '../../core/checkpoint/checkpoint.ts';
import { choiceOption, numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import type { PullSubscriptionRequest } from '../protocol/envelope.ts';
import {
  checkEvents,
  checkFolders,
  graceMsOption,
  textOption,
  WATCHED_FOLDERS_NAMES,
  type WatchedFolders,
} from '../protocol/folders.ts';

/** What to watch, and how often to ask. */
export interface PullOptions extends WatchedFolders {
  /**
   * How long the server keeps the subscription when it is not asked, in minutes from 1 to 1440: how long one
   * is left over when this process dies.
   * @default 10
   */
  readonly timeoutMinutes?: number;
  /** How long to wait between questions, in seconds; at most half the timeout. @default 30 */
  readonly pollIntervalSeconds?: number;
  /** Where to resume: the watermark of an event that came before, such as in another life of this process. */
  readonly watermark?: string;
  /**
   * When the server has lost the subscription: `resume` goes on from the last watermark; `fresh` subscribes
   * afresh and tells of a gap, which costs a large mailbox less. Servers without watermarks know only that.
   * @default 'resume'
   */
  readonly onLost?: 'resume' | 'fresh';
  /**
   * Shares one subscription between all subscribers of the Observable, and keeps it for so many seconds after
   * the last has left.
   * @default each subscriber has its own
   */
  readonly graceSeconds?: number;
  /**
   * Keeps for the next process how far this stream has come, and its subscription on the server. A stream
   * that begins with a checkpoint goes on behind the last events that were processed, which is when `next` of
   * all subscribers has returned, and first removes what was left on the server. It is shared, as with
   * `graceSeconds`.
   * @default nothing is kept
   */
  readonly checkpoint?: Checkpoint;
}

const NAMES: OptionNames<PullOptions> = {
  ...WATCHED_FOLDERS_NAMES,
  timeoutMinutes: 1,
  pollIntervalSeconds: 1,
  watermark: 1,
  onLost: 1,
  graceSeconds: 1,
  checkpoint: 1,
};

/** The options, checked and with their defaults. */
export interface ResolvedPullOptions {
  readonly request: PullSubscriptionRequest;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  readonly resume: boolean;
  readonly graceMs: number | undefined;
  readonly checkpoint: Checkpoint | undefined;
}

/** Checks the options; throws a TypeError that names the one that cannot be used. */
export function resolvePullOptions(options: PullOptions): ResolvedPullOptions {
  objectOption('options', options, NAMES);
  const { timeoutMinutes = 10, watermark, onLost = 'resume', graceSeconds } = options;
  const checkpoint = checkCheckpoint(options.checkpoint);
  numberOption('timeoutMinutes', timeoutMinutes, { min: 1, max: 1440, integer: true });
  const pollIntervalSeconds = numberOption('pollIntervalSeconds', options.pollIntervalSeconds ?? 30, {
    min: 0.01,
    // One question may be lost without the subscription.
    max: timeoutMinutes * 30,
  });
  if (watermark !== undefined) textOption('watermark', watermark);
  return {
    request: {
      type: 'pull',
      folders: checkFolders(options),
      events: checkEvents(options.events),
      watermark,
      timeoutMinutes,
    },
    timeoutMs: timeoutMinutes * 60_000,
    intervalMs: pollIntervalSeconds * 1000,
    resume: choiceOption('onLost', onLost, ['resume', 'fresh']) === 'resume',
    // Two subscriptions could not keep one place.
    graceMs: graceMsOption(graceSeconds ?? (checkpoint === undefined ? undefined : 0)),
    checkpoint,
  };
}
