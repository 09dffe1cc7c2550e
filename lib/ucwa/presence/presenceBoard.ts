import { auditTime, defaultIfEmpty, map, type Observable } from 'rxjs';
import { untilClosed } from '../../core/lifecycle/closing.ts';
import { sessionOf, type Ucwa } from '../session/session.ts';
import { checkContactPresence, type ContactPresenceOptions, sharedSnapshots } from './contactPresence.ts';
import type { ContactPresence } from './contactState.ts';

/**
 * Returns an Observable of the states of all contacts as one Map, for user interfaces.
 *
 * The keys are the URIs as the caller wrote them. Each emission is a new Map that never changes; unchanged
 * states are the same objects as in the last Map. Changes in one turn of the event loop are one emission. The
 * Map contains a contact as soon as its presence is known, or its request has failed, and until the contact
 * leaves the list.
 *
 * It errors and throws as {@link contactPresence} does.
 *
 * @param uris The contacts, as `sip:` URIs, or an Observable of such lists. An empty list sends nothing; if
 * no other follows, the Observable emits an empty Map and completes.
 *
 * @example
 * ```ts
 * import { take } from 'rxjs';
 * import { bearer } from 'rxchange';
 * import { connectUcwa, presenceBoard } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const server = ucwaSimulator({ mediumSeconds: 0 });
 * const ucwa = connectUcwa({ server: server.url, auth: bearer('secret'), transport: server.transport });
 * server.setPresence('sip:sara@contoso.com', { availability: 'Busy' });
 * await presenceBoard(ucwa, ['sip:sara@contoso.com', 'sip:bob@contoso.com'])
 *   .pipe(take(1))
 *   .forEach((board) => board.forEach(({ availability }, uri) => console.log(uri, availability)));
 * // prints: sip:sara@contoso.com Busy
 * // prints: sip:bob@contoso.com Offline
 * await ucwa.drain();
 * ```
 */
export function presenceBoard(
  ucwa: Ucwa,
  uris: readonly string[] | Observable<readonly string[]>,
  options: ContactPresenceOptions = {},
): Observable<ReadonlyMap<string, ContactPresence>> {
  const session = sessionOf(ucwa);
  return sharedSnapshots(session, uris, checkContactPresence(options)).pipe(
    auditTime(0),
    map(({ states }) => new Map(states)),
    defaultIfEmpty(new Map<string, ContactPresence>()),
    untilClosed(session.ledger, 'presenceBoard'),
  );
}
