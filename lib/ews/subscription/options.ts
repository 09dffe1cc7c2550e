import type { Checkpoint } from '../../core/checkpoint/checkpoint.ts';
import {
  choiceOption,
  numberOption,
  type OptionNames,
  invalidOption,
  objectOption,
} from '../../core/options.ts';
import { type Folder, escapeXml } from '../protocol/envelope.ts';
import { type SubscribableEvent, SUBSCRIBABLE_EVENTS } from '../protocol/events.ts';
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
   * A pull stream with a saved watermark reattaches to the subscription that an earlier process has left, if
   * the server and the request are the same; if it is gone, a new one resumes from the watermark. Other
   * streams first remove it. Pull and push streams then resume after the last processed event: the last one
   * for which `next` of all subscribers has returned. Streaming subscriptions cannot resume, and emit a
   * `gap`. The stream is shared, as with `graceSeconds: 0`.
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

/** The folders to watch, and the events to emit. @inline */
export interface WatchedFolders {
  /** The folders to watch, all in one mailbox. Give either this or `allFolders`. */
  readonly folders?: readonly Folder[];
  /** Watches every folder of the mailbox. */
  readonly allFolders?: true;
  /** The events to emit. */
  readonly events: readonly SubscribableEvent[];
}

/** Returns the events to subscribe to. It throws a TypeError for a list that cannot be used. */
export function checkEvents(events: unknown): readonly SubscribableEvent[] {
  if (!Array.isArray(events) || events.length === 0) {
    throw invalidOption('events', events, `a list of at least one of ${SUBSCRIBABLE_EVENTS.join(', ')}`);
  }
  return events.map((event, index) => choiceOption(`events[${index}]`, event, SUBSCRIBABLE_EVENTS));
}

/** Returns the folders to watch, undefined for all. It throws a TypeError that names the option. */
export function checkFolders({ folders, allFolders }: WatchedFolders): readonly Folder[] | undefined {
  const given: unknown = folders;
  if (allFolders === true && given === undefined) return undefined;
  if (allFolders === true || !Array.isArray(given) || given.length === 0) {
    throw invalidOption('folders', given, 'a list of at least one folder, or left out if allFolders is true');
  }
  const checked = given.map((folder: unknown, index) => checkFolder(`folders[${index}]`, folder));
  const mailboxes = new Set(checked.map((folder) => (hasMailbox(folder) ? folder.mailbox : undefined)));
  if (checked.some(hasMailbox) && mailboxes.size > 1) {
    throw invalidOption('folders', given, 'in one mailbox: subscribe to each mailbox separately');
  }
  return checked;
}

function hasMailbox(folder: Folder): folder is { readonly distinguished: string; readonly mailbox: string } {
  return typeof folder === 'object' && 'mailbox' in folder;
}

function checkFolder(option: string, folder: unknown): Folder {
  if (typeof folder === 'string') return distinguishedOption(option, folder);
  if (typeof folder === 'object' && folder !== null) {
    if ('id' in folder) {
      objectOption<object>(option, folder, { id: 1, changeKey: 1 });
      const id = textOption(`${option}.id`, folder.id);
      if (!('changeKey' in folder) || folder.changeKey === undefined) return { id };
      return { id, changeKey: textOption(`${option}.changeKey`, folder.changeKey) };
    }
    if ('distinguished' in folder) {
      objectOption<object>(option, folder, { distinguished: 1, mailbox: 1 });
      const distinguished = distinguishedOption(`${option}.distinguished`, folder.distinguished);
      if (!('mailbox' in folder) || folder.mailbox === undefined) return { distinguished };
      return { distinguished, mailbox: textOption(`${option}.mailbox`, folder.mailbox) };
    }
  }
  throw invalidOption(
    option,
    folder,
    'a distinguished name, { id, changeKey? } or { distinguished, mailbox? }',
  );
}

/** The schema's names are lower-case letters. An id, which callers may give by mistake, never is. */
function distinguishedOption(option: string, value: unknown): string {
  if (typeof value === 'string' && /^[a-z]+$/.test(value)) return value;
  throw invalidOption(option, value, "a distinguished folder name such as 'inbox', or { id } for an id");
}

/** Returns a text to send in a request. It throws a TypeError that names the option. */
export function textOption(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalidOption(option, value, 'a text');
  escapeXml(option, value);
  return value;
}
