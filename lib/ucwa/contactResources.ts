import * as t from 'io-ts';
import { decode } from '../core/decode.ts';
import type { Availability, ContactFields } from './contactState.ts';
import type { Resource } from './wire.ts';

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
