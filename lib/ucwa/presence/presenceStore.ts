import { sameState } from '../../core/equal.ts';
import type { ContactPresence, ContactRel, PresenceFailure, ResourceFields } from './contactState.ts';

/** What is known of the contacts that are wanted. Each call says whether the state of the contact is another now. */
export interface PresenceStore {
  /** The states by URI, as the URIs were written. It changes while it is looked at. */
  readonly byUri: ReadonlyMap<string, ContactPresence>;
  /** What a part of the state is by now. */
  set(key: string, rel: ContactRel, fields: ResourceFields): boolean;
  /** Why something of the state could not be got. */
  setError(key: string, rel: string, error: unknown): boolean;
  /** What was asked for has been got again. */
  clearError(key: string, rel: string): boolean;
  /** How the URI of the contact is written from now on; undefined where nobody wants the contact any more. */
  rename(key: string, uri: string | undefined): boolean;
}

interface Contact {
  uri: string;
  readonly parts: Map<ContactRel, ResourceFields>;
  readonly failures: Map<string, PresenceFailure>;
}

/** Without one of these, what is known of a contact is no state yet. */
const SUFFICIENT: readonly string[] = ['contactPresence', 'contact'];

/**
 * Keeps the states of contacts. A contact has one as soon as its presence is known, or could not be got. A part
 * that could not be got stays as it was last known.
 *
 * @param uris The contacts, by their keys.
 */
export function presenceStore(uris: ReadonlyMap<string, string>): PresenceStore {
  const byUri = new Map<string, ContactPresence>();
  const contacts = new Map<string, Contact>();

  const tell = ({ uri, parts, failures }: Contact): boolean => {
    const failed = [...SUFFICIENT, ...failures.keys()].find((rel) => failures.has(rel));
    const failure = failed === undefined ? undefined : failures.get(failed);
    if (!parts.has('contactPresence') && !SUFFICIENT.some((rel) => rel === failed)) return false;
    const state = Object.assign(
      { uri },
      ...parts.values(),
      failure === undefined ? {} : { failure },
    ) as ContactPresence;
    if (sameState(state, byUri.get(uri))) return false;
    byUri.set(uri, state);
    return true;
  };

  const change = (key: string, apply: (contact: Contact) => void): boolean => {
    const contact = contacts.get(key);
    if (contact === undefined) return false;
    apply(contact);
    return tell(contact);
  };

  const want = (key: string, uri: string): void => {
    contacts.set(key, { uri, parts: new Map(), failures: new Map() });
  };
  uris.forEach((uri, key) => want(key, uri));

  return {
    byUri,
    set: (key, rel, fields) =>
      change(key, ({ parts, failures }) => {
        parts.set(rel, fields);
        failures.delete(rel);
      }),
    setError: (key, rel, error) =>
      change(key, ({ failures }) => {
        if (!isSame(failures.get(rel)?.error, error)) failures.set(rel, { rel, error });
      }),
    clearError: (key, rel) => change(key, ({ failures }) => failures.delete(rel)),
    rename: (key, uri) => {
      const contact = contacts.get(key);
      if (contact === undefined) {
        if (uri !== undefined) want(key, uri);
        return false;
      }
      if (contact.uri === uri) return false;
      const wasThere = byUri.delete(contact.uri);
      if (uri === undefined) contacts.delete(key);
      else {
        contact.uri = uri;
        tell(contact);
      }
      return wasThere;
    },
  };
}

/** Whether two errors say the same: what goes on failing is no news. */
function isSame(one: unknown, other: unknown): boolean {
  return one instanceof Error && other instanceof Error
    ? one.name === other.name && one.message === other.message
    : one === other;
}
