import * as t from 'io-ts';
import { decode } from '../../core/decode.ts';
import type { Resource } from '../protocol/resource.ts';

/** How reachable a contact is. The words that are documented, and whatever else a server says. */
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

/** That a part of a contact's state could not be got, and why. */
export interface PresenceFailure {
  /**
   * The part: `contactPresence`, `contactNote`, `contactLocation` or `contactSupportedModalities`; or the `contact`
   * itself, which has the links to these.
   */
  readonly rel: string;
  /** Such as an `HttpError` or a `NetworkError`. */
  readonly error: unknown;
}

/** What can be known of a contact. What is not there is not set, not told, or not known yet. */
export interface ContactFields {
  /** What the contact does, in the language of the application, or a word such as `in-a-meeting`. */
  readonly activity?: string;
  /** Such as `Desktop` or `Mobile`. */
  readonly deviceType?: string;
  /** When the contact last used the device. */
  readonly lastActive?: Date;
  /** The personal or the out-of-office note. */
  readonly note?: string;
  /** Which of the two it is: `Personal`, `OutOfOffice`, or another word. */
  readonly noteType?: string;
  /** Where the contact says to be. */
  readonly location?: string;
  /** By what the contact can be reached, such as `Messaging` or `PhoneAudio`. */
  readonly modalities?: readonly string[];
}

/** The state of a contact. */
export interface KnownPresence extends ContactFields {
  /** As it was written where the contacts were listed. */
  readonly uri: string;
  /** How reachable the contact is. */
  readonly availability: Availability;
  /** Why a part of the state may be old or missing: it is as it was last known. Gone when it was got again. */
  readonly failure?: PresenceFailure;
}

/** A contact whose presence could not be got so far. */
export interface UnknownPresence extends ContactFields {
  /** As it was written where the contacts were listed. */
  readonly uri: string;
  /** Not known. */
  readonly availability?: undefined;
  /** Why. */
  readonly failure: PresenceFailure;
}

/**
 * The state of a contact, as far as it is known: where `availability` is not there, the `failure` says why. One
 * object never changes: what is new is another object.
 */
export type ContactPresence = KnownPresence | UnknownPresence;

/** A part of a contact's state that is a resource of its own. */
export type ContactRel = 'contactPresence' | 'contactNote' | 'contactLocation' | 'contactSupportedModalities';

/** What a resource says of a contact. */
export interface ResourceFields extends ContactFields {
  readonly availability?: Availability;
}

const presenceOf = decode(t.type({ availability: t.string }), 'contactPresence');

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
 * What a resource says of a contact. What is empty, or not of its documented type, is left out; a presence
 * without availability is a DecodeError that is thrown.
 * [contactPresence_ref, contactNote_ref, contactLocation_ref, contactSupportedModalities_ref]
 */
export function fieldsIn(rel: ContactRel, resource: Resource): ResourceFields {
  return READERS[rel](resource);
}

/** Milliseconds since 1970 as JSON of the server's kind has them, or ISO 8601, as on the pages about XML. */
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
