import { decode } from '../../core/decode.ts';
import { objectCodec, string } from '../../core/codec.ts';
import type { Resource } from '../protocol/resource.ts';

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
