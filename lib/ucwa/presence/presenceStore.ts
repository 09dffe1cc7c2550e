import { sameState } from '../../core/equal.ts';
import type { ContactPresence, ContactRel, PresenceFailure, ResourceFields } from './contactState.ts';

/**
 * The states of the watched contacts, by key. Each method returns whether the state of the contact has
 * changed.
 */
export interface PresenceStore {
  /** The states by URI, as the caller wrote the URIs. The Map keeps changing. */
  readonly byUri: ReadonlyMap<string, ContactPresence>;
  /** Sets a part of a state, and clears its error. */
  set(key: string, rel: ContactRel, fields: ResourceFields): boolean;
  /** Sets the error of a part; the part keeps its last value. */
  setError(key: string, rel: string, error: unknown): boolean;
  clearError(key: string, rel: string): boolean;
  /** Changes the URI of a contact, or adds the contact; undefined removes it. */
  rename(key: string, uri: string | undefined): boolean;
}

interface Contact {
  uri: string;
  readonly parts: Map<ContactRel, ResourceFields>;
  readonly failures: Map<string, PresenceFailure>;
}

/** A contact has a state once one of these is known, or has failed. */
const SUFFICIENT: readonly string[] = ['contactPresence', 'contact'];

/**
 * Creates a store for contacts without states.
 *
 * @param uris The contacts by key.
 */
export function presenceStore(uris: ReadonlyMap<string, string>): PresenceStore {
  const byUri = new Map<string, ContactPresence>();
  const contacts = new Map<string, Contact>();

  const publish = ({ uri, parts, failures }: Contact): boolean => {
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
    return publish(contact);
  };

  const add = (key: string, uri: string): void => {
    contacts.set(key, { uri, parts: new Map(), failures: new Map() });
  };
  uris.forEach((uri, key) => add(key, uri));

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
        if (uri !== undefined) add(key, uri);
        return false;
      }
      if (contact.uri === uri) return false;
      const hadState = byUri.delete(contact.uri);
      if (uri === undefined) contacts.delete(key);
      else {
        contact.uri = uri;
        publish(contact);
      }
      return hadState;
    },
  };
}

/** Whether two errors say the same: a repeated failure is no change. */
function isSame(one: unknown, other: unknown): boolean {
  return one instanceof Error && other instanceof Error
    ? one.name === other.name && one.message === other.message
    : one === other;
}
