import { asyncScheduler } from 'rxjs';
import { objectOption } from '../../core/options.ts';
import { addressOf } from '../../ucwa/protocol/href.ts';
import type { SimulatedEvent } from './events.ts';

/**
 * What is known of a contact; what is undefined is not known. Words that are not documented are allowed, as
 * from the server.
 */
export interface SimulatedPresence {
  /** Such as `Online`, `Busy`, `Away`, `Offline`. @default 'Offline' */
  readonly availability?: string | undefined;
  /** Such as `in-a-meeting`. @default none */
  readonly activity?: string | undefined;
  /** @default 'Desktop' */
  readonly deviceType?: string | undefined;
  /** @default when one of these three was set last */
  readonly lastActive?: Date | undefined;
  /** The contact's own note. @default none */
  readonly note?: string | undefined;
  /** Such as `Building 7`. @default none */
  readonly location?: string | undefined;
  /** Such as `Messaging`, `Audio`. @default none */
  readonly modalities?: readonly string[] | undefined;
}

/** The resources of a contact that tell of its state. */
export type ContactPart =
  'contactPresence' | 'contactNote' | 'contactLocation' | 'contactSupportedModalities';

/** The contacts that a simulated server knows. */
export interface SimulatedContacts {
  /** The last step of the href of a contact. */
  segmentOf(address: string): string;
  /** The address of a contact whose href ends with this step. */
  addressOfSegment(segment: string): string;
  /** Changes what is given; returns which of the resources are others now. */
  change(uri: string, changes: SimulatedPresence): readonly ContactPart[];
  /** What there is to tell of a contact: its presence always, the others where they are known. */
  knownParts(address: string): readonly ContactPart[];
  /** The resource `contact`. */
  contact(address: string, href: string): object;
  /** One of the resources of the contact at `href`. */
  part(part: ContactPart, address: string, href: string): object;
  /** The event that tells that it is another now. */
  updatedEvent(part: ContactPart, address: string, href: string): SimulatedEvent;
}

/** What the href of each ends with, behind that of its contact. [GetAContactData] */
const SEGMENTS: Readonly<Record<ContactPart, string>> = {
  contactPresence: 'presence',
  contactNote: 'note',
  contactLocation: 'location',
  contactSupportedModalities: 'supportedMedia',
};
const PARTS = Object.keys(SEGMENTS) as readonly ContactPart[];

/** The part of a contact whose href ends with this step; undefined where there is none. */
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

/** Writes an address as one step of a path, as plainly as a URL allows. */
export function pathSegment(address: string): string {
  return encodeURI(address).replace(/[/?#]/g, encodeURIComponent);
}

/** The first contact whose href hides its address has this number. */
const FIRST_NUMBER = 282;

/**
 * Creates the contacts of a server: everybody is one.
 *
 * @param hrefs What their hrefs end with: the address, or a number that says nothing.
 * @param areEmbedded Whether events bring the resource along that they are about.
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

/** What JSON leaves out where it is undefined. */
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
