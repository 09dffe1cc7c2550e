import { choiceOption, invalidOption, objectOption } from '../../core/options.ts';
import { escapeXml, type Folder } from './envelope.ts';
import { SUBSCRIBABLE_EVENTS, type SubscribableEvent } from './events.ts';

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
