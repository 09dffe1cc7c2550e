import { isObservable } from 'rxjs';
import { property } from '../core/foreignError.ts';
import { prose } from '../core/text.ts';

/** How many characters a description has at most. */
const LONGEST = 120;

/** The type of an event and one line about it. */
export interface EventDescription {
  readonly name: string;
  readonly summary: string;
}

/** Returns the type of a value that a stream has emitted, and one line about it. */
export function describeEvent(value: unknown): EventDescription {
  const type = textIn(value, 'type');
  if (type === undefined) return { name: 'value', summary: describeState(value) };
  const about =
    textIn(value, 'reason') ??
    textIn(property(value, 'link'), 'rel') ??
    ['item', 'folder', 'parentFolder'].find((name) => property(value, name) !== undefined) ??
    '';
  return { name: prose(type, LONGEST), summary: prose(`${type} ${about}`.trim(), LONGEST) };
}

/** Returns one line about a state, such as the presence of a contact, or a Map of such states. */
function describeState(value: unknown): string {
  if (value instanceof Map) {
    const stale = property(value, 'isStale') === true ? ', stale' : '';
    return `${value.size} ${value.size === 1 ? 'entry' : 'entries'}${stale}`;
  }
  const facts = ['uri', 'availability', 'activity', 'self'].flatMap((name) => textIn(value, name) ?? []);
  return facts.length === 0 ? 'value' : prose(facts.join(' '), LONGEST);
}

/**
 * Returns what a stream is about: its contacts, or its folders and events.
 *
 * All other options are left out: some contain secrets.
 */
export function describeOptions(options: unknown): string {
  const uris = property(options, 'uris');
  if (isObservable(uris)) return 'a changing list';
  if (Array.isArray(uris)) return prose(uris.join(', '), LONGEST);
  const events = listIn(options, 'events');
  return events === '' ? '' : prose(`${listIn(options, 'folders') || 'all folders'}: ${events}`, LONGEST);
}

function listIn(options: unknown, name: string): string {
  const list = property(options, name);
  if (!Array.isArray(list)) return '';
  return list
    .map((one: unknown) =>
      typeof one === 'string' ? one : (textIn(one, 'distinguished') ?? textIn(one, 'id') ?? ''),
    )
    .join(', ');
}

function textIn(value: unknown, name: string): string | undefined {
  const text = property(value, name);
  return typeof text === 'string' && text !== '' ? text : undefined;
}
