import { choiceOption, invalidOption, objectOption } from '../core/options.ts';
import type { ContactRel } from './contactResources.ts';
import { checkLifetime, type Lifetime, LIFETIME_NAMES, type LifetimeOptions } from './subscriptionOptions.ts';

/** What of a contact's state is more than presence. */
export type ContactDetail = 'note' | 'location' | 'modalities';

/** What to know of the contacts, and how long their subscription lives. */
export interface ContactPresenceOptions extends LifetimeOptions {
  /**
   * What is wanted beside the presence: each is a request more for every contact, and one for its links. An empty
   * list is presence alone.
   * @default note, location and modalities
   */
  readonly details?: readonly ContactDetail[];
}

/** The options with their defaults. */
export interface ContactPresencePlan {
  readonly lifetime: Lifetime;
  /** The parts of the states that are wanted. */
  readonly rels: readonly ContactRel[];
}

const RELS: Readonly<Record<ContactDetail, ContactRel>> = {
  note: 'contactNote',
  location: 'contactLocation',
  modalities: 'contactSupportedModalities',
};
const DETAILS: readonly ContactDetail[] = ['note', 'location', 'modalities'];

/** Checks the options; throws a TypeError that names the one that cannot be used. */
export function checkContactPresence(options: ContactPresenceOptions): ContactPresencePlan {
  const { details = DETAILS } = objectOption('options', options, { ...LIFETIME_NAMES, details: 1 });
  const given: unknown = details;
  if (!Array.isArray(given)) throw invalidOption('details', given, 'a list');
  const rels = details.map((detail, index) => RELS[choiceOption(`details[${index}]`, detail, DETAILS)]);
  return { lifetime: checkLifetime(options), rels: ['contactPresence', ...new Set(rels)] };
}
