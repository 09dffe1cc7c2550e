import { choiceOption, invalidOption, numberOption, objectOption } from '../core/options.ts';
import type { Folder, PullSubscriptionRequest } from './envelope.ts';
import { SUBSCRIBABLE_EVENTS } from './eventNames.ts';
import type { SubscribableEvent } from './events.ts';
import { escapeXml } from './xml.ts';

/** What to watch, and how often to ask. */
export interface PullOptions {
  /** The folders to watch, all in one mailbox. Give either this or `allFolders`. */
  readonly folders?: readonly Folder[];
  /** Watches every folder of the mailbox. */
  readonly allFolders?: true;
  /** What to be told of. */
  readonly events: readonly SubscribableEvent[];
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
   * Whether to go on from the last watermark when the server has lost the subscription. Without, and with
   * servers that have no watermarks, it subscribes afresh and tells of a gap: that costs a large mailbox less.
   * @default true
   */
  readonly resume?: boolean;
  /**
   * Shares one subscription between all subscribers of the Observable, and keeps it for so many seconds after
   * the last has left.
   * @default each subscriber has its own
   */
  readonly graceSeconds?: number;
}

/** The options, checked and with their defaults. */
export interface PullPlan {
  readonly request: PullSubscriptionRequest;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  readonly resume: boolean;
  readonly graceMs: number | undefined;
}

/** Checks the options; throws a TypeError that names the one that cannot be used. */
export function pullPlan(options: PullOptions): PullPlan {
  objectOption('options', options);
  const { timeoutMinutes = 10, watermark, resume = true, graceSeconds } = options;
  numberOption('timeoutMinutes', timeoutMinutes, { min: 1, max: 1440, integer: true });
  const pollIntervalSeconds = numberOption('pollIntervalSeconds', options.pollIntervalSeconds ?? 30, {
    min: 0.01,
    // One question may be lost without the subscription.
    max: timeoutMinutes * 30,
  });
  if (watermark !== undefined) textOption('watermark', watermark);
  if (graceSeconds !== undefined) numberOption('graceSeconds', graceSeconds, { min: 0, max: 86_400 });
  return {
    request: {
      kind: 'pull',
      folders: checkFolders(options),
      events: checkEvents(options.events),
      watermark,
      timeoutMinutes,
    },
    timeoutMs: timeoutMinutes * 60_000,
    intervalMs: pollIntervalSeconds * 1000,
    resume,
    graceMs: graceSeconds === undefined ? undefined : graceSeconds * 1000,
  };
}

function checkEvents(events: unknown): readonly SubscribableEvent[] {
  if (!Array.isArray(events) || events.length === 0) {
    throw invalidOption('events', events, `a list of at least one of ${SUBSCRIBABLE_EVENTS.join(', ')}`);
  }
  return events.map((event, index) => choiceOption(`events[${index}]`, event, SUBSCRIBABLE_EVENTS));
}

function checkFolders({ folders, allFolders }: PullOptions): readonly Folder[] | undefined {
  const given: unknown = folders;
  if (allFolders === true && given === undefined) return undefined;
  if (allFolders === true || !Array.isArray(given) || given.length === 0) {
    throw invalidOption(
      'folders',
      given,
      'a list of at least one folder, or left out where allFolders is true',
    );
  }
  const checked = given.map((folder: unknown, index) => checkFolder(`folders[${index}]`, folder));
  const mailboxes = new Set(checked.map((folder) => (hasMailbox(folder) ? folder.mailbox : undefined)));
  if (checked.some(hasMailbox) && mailboxes.size > 1) {
    throw invalidOption('folders', given, 'in one mailbox: subscribe to each mailbox by itself');
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
      const id = textOption(`${option}.id`, folder.id);
      if (!('changeKey' in folder) || folder.changeKey === undefined) return { id };
      return { id, changeKey: textOption(`${option}.changeKey`, folder.changeKey) };
    }
    if ('distinguished' in folder) {
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

/** All of the schema's names are lower-case letters; an id, which is easily given in their place, never is. */
function distinguishedOption(option: string, value: unknown): string {
  if (typeof value === 'string' && /^[a-z]+$/.test(value)) return value;
  throw invalidOption(option, value, "a distinguished folder name such as 'inbox', or { id } for an id");
}

function textOption(option: string, value: unknown): string {
  if (typeof value !== 'string' || value === '') throw invalidOption(option, value, 'a text');
  escapeXml(option, value);
  return value;
}
