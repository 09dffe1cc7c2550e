import { mergeMap, type Observable, ReplaySubject } from 'rxjs';
import { untilClosed } from '../../core/lifecycle/closing.ts';
import { choiceOption, invalidOption, objectOption } from '../../core/options.ts';
import { sessionOf, type Ucwa, type UcwaSession } from '../session/session.ts';
import {
  lifetimeOf,
  type Lifetime,
  LIFETIME_RULES,
  type LifetimeOptions,
  shared,
} from '../subscription/options.ts';
import type { ContactPresence, ContactRel } from './contactState.ts';
import { presenceStream } from './presence.ts';
import { presenceSnapshots, type PresenceSnapshot } from './presenceSnapshots.ts';

/** Returns an Observable of snapshots of contacts, which subscribers share if a grace period is given. */
export function sharedSnapshots(
  session: UcwaSession,
  uris: readonly string[] | Observable<readonly string[]>,
  { lifetime, rels }: ContactPresencePlan,
): Observable<PresenceSnapshot> {
  return presenceStream(session, uris, lifetime, (signals) => presenceSnapshots(session, signals, rels)).pipe(
    // The last snapshot contains all states.
    shared(session, lifetime, () => new ReplaySubject<PresenceSnapshot>(1)),
  );
}

/** A part of a contact's state besides its presence. @inline */
export type ContactDetail = 'note' | 'location' | 'modalities';

/** The parts of the states, and the lifetime of the subscription. @inline */
export interface ContactPresenceOptions extends LifetimeOptions {
  /**
   * The parts besides the presence. Each costs one request for every contact, and all together one for the
   * links. An empty list selects the presence alone.
   * @default note, location and modalities
   */
  readonly details?: readonly ContactDetail[];
}

/** The resolved {@link ContactPresenceOptions}. */
interface ContactPresencePlan {
  readonly lifetime: Lifetime;
  /** The parts of the states. */
  readonly rels: readonly ContactRel[];
}

const RELS: Readonly<Record<ContactDetail, ContactRel>> = {
  note: 'contactNote',
  location: 'contactLocation',
  modalities: 'contactSupportedModalities',
};
const DETAILS: readonly ContactDetail[] = ['note', 'location', 'modalities'];

/** Returns the options with their defaults. It throws a TypeError that names an invalid option. */
export function checkContactPresence(options: ContactPresenceOptions): ContactPresencePlan {
  const { details = DETAILS } = objectOption('options', options, { ...LIFETIME_RULES, details: 1 });
  const given: unknown = details;
  if (!Array.isArray(given)) throw invalidOption('details', given, 'a list');
  const rels = details.map((detail, index) => RELS[choiceOption(`details[${index}]`, detail, DETAILS)]);
  return { lifetime: lifetimeOf(options), rels: ['contactPresence', ...new Set(rels)] };
}

/**
 * Returns an Observable that subscribes to the presence of contacts and emits their states.
 *
 * It emits the state of each contact as soon as it is known, then after each change. It removes its
 * subscription from the server when it is unsubscribed, as {@link presence} does, and cancels its requests.
 *
 * - If an event carries the resource, no request is sent; otherwise its link is followed. A part of a state
 *   is requested once at a time, and again if it has changed in the meantime, so a slow response never
 *   overwrites a newer one.
 * - If a request fails, the state of that contact has a `failure` and keeps its last values. Transient
 *   failures are retried with growing waits until they succeed; then the `failure` is removed. Other contacts
 *   are not affected.
 * - After a `gap` all states are requested again, and emitted if they differ.
 * - No emission reports that a contact has left the list. If two URIs mean the same contact, for instance in
 *   upper and lower case, the later one counts. If the server has no note, location or modalities (404), the
 *   contact has none.
 *
 * It errors as {@link presence} does, but never because of a single contact. It throws a TypeError that names
 * an invalid option or URI.
 *
 * @see [MS-UCWA] contact_ref
 * @see [MS-UCWA] contactPresence_ref
 * @see [MS-UCWA] GetPresenceDataOfAContact
 *
 * @param uris The contacts, as `sip:` URIs, or an Observable of such lists. An empty list sends nothing: the
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
  const session = sessionOf(ucwa);
  return sharedSnapshots(session, uris, checkContactPresence(options)).pipe(
    mergeMap(({ states, changed }, index) => {
      // A later subscriber of a shared subscription receives all current states.
      if (index === 0) return [...states.values()];
      const state = changed === undefined ? undefined : states.get(changed);
      return state === undefined ? [] : [state];
    }),
    untilClosed(session.ledger, 'contactPresence', { uris }),
  );
}
