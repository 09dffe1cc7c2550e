import { auditTime, defaultIfEmpty, map, type Observable } from 'rxjs';
import { untilClosed } from '../../core/lifecycle/closing.ts';
import { sessionOf, type Ucwa } from '../session/session.ts';
import { checkContactPresence, type ContactPresenceOptions, sharedSnapshots } from './contactPresence.ts';
import type { ContactPresence } from './contactState.ts';

/**
 * Returns an Observable of the states of all contacts as one Map, by their URIs as they are written in the list,
 * for user interfaces: each emission is another Map, one that was emitted never changes, and the state of a
 * contact that has not changed is the same object as in the Map before.
 *
 * It is what {@link contactPresence} emits, gathered: however many states change in one turn, they are one
 * emission behind it. A contact is in the Map as soon as its presence is known, or could not be got. One that is
 * no longer in the list is no longer in the Map.
 *
 * It errors, and throws, as {@link contactPresence} does.
 *
 * @param uris The contacts, as `sip:` URIs, or an Observable of such lists. For an empty list nothing is sent; if
 * none follows, the Observable emits an empty Map and completes.
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
  const internals = sessionOf(ucwa);
  return sharedSnapshots(internals, uris, checkContactPresence(options)).pipe(
    auditTime(0),
    map(({ states }) => new Map(states)),
    defaultIfEmpty(new Map<string, ContactPresence>()),
    untilClosed(internals.ledger, 'presenceBoard'),
  );
}
