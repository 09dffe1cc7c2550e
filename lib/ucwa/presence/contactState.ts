import { decode } from '../../core/decode.ts';
import { objectCodec, string } from '../../core/codec.ts';
import type { Resource } from '../protocol/resource.ts';
import { sameState } from '../../core/equal.ts';

/** The availability of a contact: a documented word, or any other that the server sends. @inline */
export type Availability =
  | 'Online'
  | 'IdleOnline'
  | 'Busy'
  | 'IdleBusy'
  | 'DoNotDisturb'
  | 'BeRightBack'
  | 'Away'
  | 'Offline'
  | (string & {});

/** The failed request of a part of a contact's state. @inline */
export interface PresenceFailure {
  /**
   * The part: `contactPresence`, `contactNote`, `contactLocation` or `contactSupportedModalities`; or the
   * `contact` itself, which has their links.
   */
  readonly rel: string;
  /** The error, such as an `HttpError` or a `NetworkError`. */
  readonly error: unknown;
}

/** The fields of a contact. An absent one is not set, not visible to the user, or not known yet. @inline */
export interface ContactFields {
  /** The activity in the language of the application, or a word such as `in-a-meeting`. */
  readonly activity?: string;
  /** The device, such as `Desktop` or `Mobile`. */
  readonly deviceType?: string;
  /** The last activity on the device. */
  readonly lastActive?: Date;
  /** The personal or the out-of-office note. */
  readonly note?: string;
  /** The type of the note: `Personal`, `OutOfOffice`, or another word. */
  readonly noteType?: string;
  /** The location that the contact has set. */
  readonly location?: string;
  /** The supported modalities, such as `Messaging` or `PhoneAudio`. */
  readonly modalities?: readonly string[];
}

/** The state of a contact whose presence is known. @inline */
export interface KnownPresence extends ContactFields {
  /** The URI as the caller wrote it. */
  readonly uri: string;
  /** The availability. */
  readonly availability: Availability;
  /** The failed request of a part that may be outdated; absent after it succeeds. */
  readonly failure?: PresenceFailure;
}

/** The state of a contact whose presence could not be requested so far. @inline */
export interface UnknownPresence extends ContactFields {
  /** The URI as the caller wrote it. */
  readonly uri: string;
  /** Unknown. */
  readonly availability?: undefined;
  /** The failed request. */
  readonly failure: PresenceFailure;
}

/** The state of a contact. An object never changes: a new state is a new object. */
export type ContactPresence = KnownPresence | UnknownPresence;

/** A part of a contact's state that is a resource of its own. */
export type ContactRel = 'contactPresence' | 'contactNote' | 'contactLocation' | 'contactSupportedModalities';

/** The fields that one resource contains. */
export interface ResourceFields extends ContactFields {
  readonly availability?: Availability;
}

const presenceOf = decode(
  objectCodec<{ readonly availability: string }>('contactPresence', { required: { availability: string } }),
  'contactPresence',
);

const READERS: Readonly<Record<ContactRel, (resource: Resource) => ResourceFields>> = {
  contactPresence: (resource) => ({
    availability: presenceOf(resource).availability,
    ...present('activity', textIn(resource['activity'])),
    ...present('deviceType', textIn(resource['deviceType'])),
    ...present('lastActive', dateIn(resource['lastActive'])),
  }),
  contactNote: ({ message, type }) => {
    const note = textIn(message);
    return note === undefined ? {} : { note, ...present('noteType', textIn(type)) };
  },
  contactLocation: ({ location }) => present('location', textIn(location)),
  contactSupportedModalities: ({ modalities }) => present('modalities', wordsIn(modalities)),
};

/**
 * Returns the fields of a resource without those that are empty or ill-typed.
 *
 * It throws a DecodeError for a contactPresence without availability.
 *
 * @see [MS-UCWA] contactPresence_ref
 * @see [MS-UCWA] contactNote_ref
 * @see [MS-UCWA] contactLocation_ref
 * @see [MS-UCWA] contactSupportedModalities_ref
 */
export function fieldsIn(rel: ContactRel, resource: Resource): ResourceFields {
  return READERS[rel](resource);
}

/** Returns a date written as `/Date(milliseconds)/`, or in ISO 8601 as on the pages about XML. */
function dateIn(value: unknown): Date | undefined {
  const text = textIn(value);
  if (text === undefined) return undefined;
  const [, ms] = /^\/Date\((-?\d+)(?:[+-]\d{4})?\)\/$/.exec(text) ?? [];
  const date = new Date(ms === undefined ? text : Number(ms));
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function wordsIn(value: unknown): readonly string[] | undefined {
  const words = Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [];
  return words.length === 0 ? undefined : words;
}

function present<Key extends string, Value>(key: Key, value: Value | undefined): { [Each in Key]?: Value } {
  return value === undefined ? {} : ({ [key]: value } as { [Each in Key]?: Value });
}

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
