import { asyncScheduler } from 'rxjs';
import { objectOption } from '../../core/options.ts';
import { addressOf } from '../../ucwa/protocol/href.ts';
import type { SimulatedEvent } from './eventQueue.ts';

/**
 * The state of a contact; undefined properties are unknown. Undocumented values are allowed, as from a
 * server.
 *
 * @inline
 */
export interface SimulatedPresence {
  /** Such as `Online`, `Busy`, `Away`, `Offline`. @default 'Offline' */
  readonly availability?: string | undefined;
  /** Such as `in-a-meeting`. @default none */
  readonly activity?: string | undefined;
  /** @default 'Desktop' */
  readonly deviceType?: string | undefined;
  /** @default the time at which one of these three was last set */
  readonly lastActive?: Date | undefined;
  /** The contact's own note. @default none */
  readonly note?: string | undefined;
  /** Such as `Building 7`. @default none */
  readonly location?: string | undefined;
  /** Such as `Messaging`, `Audio`. @default none */
  readonly modalities?: readonly string[] | undefined;
}

/** A resource of a contact that has a part of its state. */
export type ContactPart =
  'contactPresence' | 'contactNote' | 'contactLocation' | 'contactSupportedModalities';

/** The contacts of a simulated server. */
export interface SimulatedContacts {
  /** Returns the last segment of the href of a contact. */
  segmentOf(address: string): string;
  /** Returns the address of the contact whose href ends with this segment. */
  addressOfSegment(segment: string): string;
  /** Changes the given properties, and returns the resources that changed. */
  change(uri: string, changes: SimulatedPresence): readonly ContactPart[];
  /** Returns the known resources of a contact, always including its presence. */
  knownParts(address: string): readonly ContactPart[];
  /** Returns the resource `contact`. */
  contact(address: string, href: string): object;
  /** Returns one resource of the contact at `href`. */
  part(part: ContactPart, address: string, href: string): object;
  /** Returns the `updated` event of such a resource. */
  updatedEvent(part: ContactPart, address: string, href: string): SimulatedEvent;
}

/** The last segment of the href of each resource. @see [MS-UCWA] GetAContactData */
const SEGMENTS: Readonly<Record<ContactPart, string>> = {
  contactPresence: 'presence',
  contactNote: 'note',
  contactLocation: 'location',
  contactSupportedModalities: 'supportedMedia',
};
const PARTS = Object.keys(SEGMENTS) as readonly ContactPart[];

/** Returns the resource whose href ends with this segment, if there is one. */
export function contactPartOf(segment: string): ContactPart | undefined {
  return PARTS.find((part) => SEGMENTS[part] === segment);
}

const PART_OF: Readonly<Record<keyof SimulatedPresence, ContactPart>> = {
  availability: 'contactPresence',
  activity: 'contactPresence',
  deviceType: 'contactPresence',
  lastActive: 'contactPresence',
  note: 'contactNote',
  location: 'contactLocation',
  modalities: 'contactSupportedModalities',
};

/** Returns an address as one segment of a path, with as few escapes as possible. */
export function pathSegment(address: string): string {
  return encodeURI(address).replace(/[/?#]/g, encodeURIComponent);
}

/** The number of the first contact with an opaque href. */
const FIRST_NUMBER = 282;

/**
 * Creates the contacts of a server. Every address is one.
 *
 * @param hrefs Whether their hrefs end with the address or with an opaque number
 * @param areEmbedded Whether events embed their resource
 */
export function simulatedContacts(hrefs: 'address' | 'opaque', areEmbedded: boolean): SimulatedContacts {
  const states = new Map<string, SimulatedPresence>();
  const numbered: string[] = [];
  const stateOf = (address: string): SimulatedPresence => states.get(address) ?? {};

  const part = (name: ContactPart, address: string, href: string): object => ({
    ...propertiesOf(name, stateOf(address)),
    _links: { self: { href: `${href}/${SEGMENTS[name]}` } },
    rel: name,
  });

  return {
    part,
    segmentOf: (address) => {
      if (hrefs === 'address') return pathSegment(address);
      if (!numbered.includes(address)) numbered.push(address);
      return String(FIRST_NUMBER + numbered.indexOf(address));
    },
    addressOfSegment: (segment) => numbered[Number(segment) - FIRST_NUMBER] ?? segment.toLowerCase(),
    change: (uri, changes) => {
      const address = addressOf(uri);
      const changed = new Set(
        (Object.keys(objectOption('presence', changes, PART_OF)) as (keyof SimulatedPresence)[]).map(
          (key) => PART_OF[key],
        ),
      );
      const active = changed.has('contactPresence') ? { lastActive: new Date(asyncScheduler.now()) } : {};
      states.set(address, { ...stateOf(address), ...active, ...changes });
      return PARTS.filter((name) => changed.has(name));
    },
    knownParts: (address) => {
      const state = stateOf(address);
      return PARTS.filter(
        (name) =>
          name === 'contactPresence' ||
          (['note', 'location', 'modalities'] as const).some(
            (key) => PART_OF[key] === name && state[key] !== undefined,
          ),
      );
    },
    contact: (address, href) => ({
      rel: 'contact',
      uri: `sip:${address}`,
      name: address.replace(/@.*$/s, ''),
      _links: {
        self: { href },
        ...Object.fromEntries(PARTS.map((name) => [name, { href: `${href}/${SEGMENTS[name]}` }])),
      },
    }),
    updatedEvent: (name, address, href) => ({
      link: { rel: name, href: `${href}/${SEGMENTS[name]}` },
      in: { rel: 'contact', href },
      ...(areEmbedded ? { _embedded: { [name]: part(name, address, href) } } : {}),
      type: 'updated',
    }),
  };
}

/** Returns the properties of a resource; JSON omits the undefined ones. */
function propertiesOf(part: ContactPart, state: SimulatedPresence): object {
  const { availability = 'Offline', activity, deviceType = 'Desktop', lastActive } = state;
  switch (part) {
    case 'contactPresence':
      return {
        ...{ availability, activity, deviceType },
        lastActive: lastActive === undefined ? undefined : `/Date(${lastActive.getTime()})/`,
      };
    case 'contactNote':
      return { message: state.note, type: state.note === undefined ? undefined : 'Personal' };
    case 'contactLocation':
      return { location: state.location };
    case 'contactSupportedModalities':
      return { modalities: state.modalities ?? [] };
  }
}
