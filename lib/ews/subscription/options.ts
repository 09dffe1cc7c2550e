import type { Checkpoint } from '../../core/checkpoint/checkpoint.ts';
import { choiceOption, numberOption, type OptionNames } from '../../core/options.ts';
import type { Folder } from '../protocol/envelope.ts';
import type { SubscribableEvent } from '../protocol/events.ts';
import { checkEvents, checkFolders, textOption, type WatchedFolders } from '../protocol/folders.ts';
import { CHECKPOINTING, type StreamCheckpointing } from './checkpointed.ts';

/** How a stream continues when the server has lost its subscription. */
export type OnLost = NonNullable<NotificationOptions['onLost']>;

/** The values of {@link OnLost}. */
export const ON_LOST: readonly OnLost[] = ['recreate', 'complete', 'error'];

/** Options of every stream of notifications. @inline */
export interface NotificationOptions extends WatchedFolders {
  /**
   * Shares one subscription among all subscribers of the Observable, and releases it this long after the last
   * one has unsubscribed, in seconds from 0 to 86,400.
   * @default each subscriber has its own
   */
  readonly graceSeconds?: number;
  /**
   * How to continue when the server has lost or ended the subscription.
   *
   * - `recreate`: re-creates it, and a `gap` event marks the position.
   * - `complete`: the stream completes.
   * - `error`: the stream errors with the server's `EwsError` or `SoapFault`.
   *
   * A subscription whose mailbox has moved is always re-created at the new server.
   * @default 'recreate'
   */
  readonly onLost?: 'recreate' | 'complete' | 'error';
  /**
   * Saves the position of the stream and its subscription, for the next process: `checkpointed(store, key)`.
   *
   * A stream with a checkpoint first removes the subscription that an earlier process has left on the server.
   * Pull and push streams then resume after the last processed event: the last one for which `next` of all
   * subscribers has returned. Streaming subscriptions cannot resume, and emit a `gap`. The stream is shared,
   * as with `graceSeconds: 0`.
   * @default nothing is saved
   */
  readonly checkpoint?: Checkpoint;
}

/** Options of a stream that can resume from a watermark. @inline */
export interface ResumableOptions extends Omit<NotificationOptions, 'onLost'> {
  /** Resumes after an earlier event, by its watermark. @default starts with new events */
  readonly watermark?: string;
  /**
   * How to continue when the server has lost or ended the subscription.
   *
   * - `resume`: re-creates it from the last watermark; without watermarks this is `recreate`.
   * - `recreate`: re-creates it from now, which is cheaper for a large mailbox; a `gap` event marks the
   *   position.
   * - `complete`: the stream completes.
   * - `error`: the stream errors with the server's `EwsError` or `SoapFault`.
   *
   * A subscription whose mailbox has moved is always re-created at the new server.
   * @default 'resume'
   */
  readonly onLost?: 'resume' | 'recreate' | 'complete' | 'error';
}

/** The names of {@link NotificationOptions}. */
export const NOTIFICATION_NAMES: OptionNames<NotificationOptions> = {
  folders: 1,
  allFolders: 1,
  events: 1,
  graceSeconds: 1,
  onLost: 1,
  checkpoint: 1,
};

/** The names of {@link ResumableOptions}. */
export const RESUMABLE_NAMES: OptionNames<ResumableOptions> = {
  ...NOTIFICATION_NAMES,
  watermark: 1,
};

/** How a stream is shared and saved. */
export interface ResolvedNotificationOptions {
  readonly graceMs: number | undefined;
  readonly checkpoint: StreamCheckpointing | undefined;
}

/**
 * Returns how a stream is shared and saved.
 *
 * @throws TypeError that names the option that cannot be used.
 */
export function resolveNotificationOptions({
  graceSeconds,
  checkpoint,
}: Pick<NotificationOptions, 'graceSeconds' | 'checkpoint'>): ResolvedNotificationOptions {
  // Shared with a checkpoint: two subscriptions cannot save one position.
  const seconds = graceSeconds ?? (checkpoint === undefined ? undefined : 0);
  return {
    checkpoint: checkpoint === undefined ? undefined : CHECKPOINTING.read('checkpoint', checkpoint),
    graceMs:
      seconds === undefined
        ? undefined
        : numberOption('graceSeconds', seconds, { min: 0, max: 86_400 }) * 1000,
  };
}

/**
 * Returns the folders and events of a Subscribe request.
 *
 * @throws TypeError that names the option that cannot be used.
 */
export function resolveFolders(options: WatchedFolders): {
  readonly folders: readonly Folder[] | undefined;
  readonly events: readonly SubscribableEvent[];
} {
  return { folders: checkFolders(options), events: checkEvents(options.events) };
}

/**
 * Returns the first watermark, and whether to resume after a loss.
 *
 * @throws TypeError that names the option that cannot be used.
 */
export function resolveResumption({ watermark, onLost = 'resume' }: ResumableOptions): {
  readonly watermark: string | undefined;
  readonly onLost: 'resume' | OnLost;
} {
  if (watermark !== undefined) textOption('watermark', watermark);
  return { watermark, onLost: choiceOption('onLost', onLost, ['resume', ...ON_LOST]) };
}
