import { mergeMap, type Observable, ReplaySubject } from 'rxjs';
import { untilClosed } from '../../core/lifecycle/closing.ts';
import { choiceOption, invalidOption, objectOption } from '../../core/options.ts';
import { sessionOf, type Ucwa, type UcwaSession } from '../session/session.ts';
import {
  checkLifetime,
  type Lifetime,
  LIFETIME_NAMES,
  type LifetimeOptions,
  shared,
} from '../subscription/options.ts';
import type { ContactPresence, ContactRel } from './contactState.ts';
import { presenceStream } from './presence.ts';
import { presenceSnapshots, type PresenceSnapshot } from './presenceSnapshots.ts';

/** Returns an Observable of how things stand with these contacts, which its subscribers share with a grace time. */
export function sharedSnapshots(
  internals: UcwaSession,
  uris: readonly string[] | Observable<readonly string[]>,
  { lifetime, rels }: ContactPresencePlan,
): Observable<PresenceSnapshot> {
  return presenceStream(internals, uris, lifetime, (watched) =>
    presenceSnapshots(internals, watched, rels),
  ).pipe(
    // How things stood last has all states in it.
    shared(internals, lifetime, () => new ReplaySubject<PresenceSnapshot>(1)),
  );
}

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
interface ContactPresencePlan {
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

/**
 * Returns an Observable that subscribes to the presence of contacts and emits the state of each: the current one
 * as soon as it is known, then each that is another. It removes its subscription from the server when it is
 * unsubscribed from, as {@link presence} does, and cancels what it is asking for.
 *
 * - An event that brings its resource along is used as it is; for others the link is followed. What falls
 *   together is asked for in one turn. A part of a state is asked for once at a time, and once more where it
 *   has changed in the meantime: what is slow never overwrites what is newer.
 * - What could not be got is told by the `failure` of that contact, the rest of the state stays as it was last
 *   known, and the other contacts are not touched. What is transient is asked for again until it is
 *   answered, after growing waits; with the next success the `failure` is gone.
 * - After a `gap` everything is asked for again, and emitted where it is another.
 * - A contact that is no longer in the list leaves without a word. Two URIs that mean the same contact, such as in
 *   upper and lower case, are one: the later in the list. A note, location or list of modalities that the server
 *   says is not found (404) is one that the contact has not.
 *
 * It errors as {@link presence} does, and never with what a single contact meets. It throws a TypeError that names
 * the option for one that cannot be used, and one for URIs. [contact_ref, contactPresence_ref,
 * GetPresenceDataOfAContact]
 *
 * @param uris The contacts, as `sip:` URIs, or an Observable of such lists. For an empty list nothing is sent: the
 * Observable completes, or waits for the next list.
 *
 * @example
 * ```ts
 * import { takeWhile } from 'rxjs';
 * import { distinctPresence } from 'rxchange/operators';
 * import { ucwaSimulator } from 'rxchange/testing';
 * import { bearer } from 'rxchange';
 * import { connectUcwa, contactPresence } from 'rxchange/ucwa';
 *
 * const server = ucwaSimulator({ mediumSeconds: 0 });
 * const ucwa = connectUcwa({ server: server.url, auth: bearer('secret'), transport: server.transport });
 * await contactPresence(ucwa, ['sip:sara@contoso.com'])
 *   .pipe(
 *     distinctPresence(),
 *     takeWhile(({ availability }) => availability !== 'Busy', true),
 *   )
 *   .forEach(({ uri, availability }) => {
 *     console.log(uri, availability);
 *     server.setPresence('sip:sara@contoso.com', { availability: 'Busy' });
 *   });
 * // prints: sip:sara@contoso.com Offline
 * // prints: sip:sara@contoso.com Busy
 * await ucwa.drain();
 * ```
 */
export function contactPresence(
  ucwa: Ucwa,
  uris: readonly string[] | Observable<readonly string[]>,
  options: ContactPresenceOptions = {},
): Observable<ContactPresence> {
  const internals = sessionOf(ucwa);
  return sharedSnapshots(internals, uris, checkContactPresence(options)).pipe(
    mergeMap(({ states, changed }, index) => {
      // Who shares a subscription and comes later is told how things stand.
      if (index === 0) return [...states.values()];
      const state = changed === undefined ? undefined : states.get(changed);
      return state === undefined ? [] : [state];
    }),
    untilClosed(internals.ledger, 'contactPresence'),
  );
}
