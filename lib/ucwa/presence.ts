import { defer, type Observable } from 'rxjs';
import { choiceOption, invalidOption, numberOption, objectOption } from '../core/options.ts';
import { shareWithGrace, untilClosed } from '../core/releases.ts';
import { internalsOf, type Ucwa } from './connect.ts';
import type { UcwaEvent } from './events.ts';
import { type OnEnd, presenceStream } from './presenceStream.ts';

/** Whose presence to watch, and for how long. */
export interface PresenceOptions {
  /** The contacts, as `sip:` URIs; at least one. */
  readonly uris: readonly string[];
  /**
   * How long the server keeps the subscription when it hears nothing of it, in minutes from 10 to 30. It is
   * extended before that, for as long as the Observable is subscribed to.
   * @default 30
   */
  readonly durationMinutes?: number;
  /**
   * What to do when the server has ended the subscription nevertheless, or has lost it: make it again, which a
   * `reset` event tells; complete; or error, with an `EndedError` that says why.
   * @default 'recreate'
   */
  readonly onEnd?: OnEnd;
  /**
   * Shares one subscription between all subscribers of the Observable, and keeps it for so many seconds after
   * the last has left.
   * @default each subscriber has its own
   */
  readonly graceSeconds?: number;
}

/** URIs without spaces, with something on both sides of the at sign. */
const SIP_URI = /^sips?:[^\s@]+@[^\s@]+$/i;

/**
 * Returns an Observable that creates a presence subscription on the server, emits the events of its contacts
 * and of itself, and removes it from the server when it is unsubscribed from, however that comes.
 *
 * - It listens to the event channel before it asks for the subscription, so nothing is missed. Most events
 *   carry a link only: `ucwa.get(event.link)` brings what has changed.
 * - Each subscriber has a subscription of its own on the server, unless `graceSeconds` is given.
 * - The subscription is extended before it expires, and made again where the server has ended it, where it has
 *   lost its state, and where the application is gone and made again. A `reset` event stands at that place:
 *   what was known of the contacts is no longer sure, and what follows brings it anew. After a `reset` of the
 *   kind `resync` the subscription is still there, but events of it can have been lost.
 * - It errors when the subscription is refused, with what ends the event channel, and when the application is
 *   gone and cannot be made again. One that was there is made again with patience: what passes is waited for.
 *   What the removal meets never comes here: it stands in `ucwa.releases`, with `detail.deletedEvent`,
 *   which is `seen` when the server's `deleted` event came, `notSeen` when it did not come in time, and
 *   `notWatched` when nobody else kept the event channel open.
 *
 * It throws a TypeError that names the option for one that cannot be used.
 * [SubscribeToThePresenceOfSelectedContacts, ExtendAPresenceSubscription, DeleteAPresenceSubscription]
 *
 * @example
 * ```ts
 * import { connect, presence } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const server = ucwaSimulator({ mediumSeconds: 0 });
 * const ucwa = connect({ applications: server.url, token: 'secret', transport: server.transport });
 *
 * const watching = presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe(({ type, link }) =>
 *   console.log(type, link.rel),
 * );
 * // prints: added contact
 * // prints: added presenceSubscription
 * // prints: updated contactPresence
 * watching.unsubscribe();
 *
 * const { outcomes } = await ucwa.drain();
 * console.log(outcomes.map(({ resource, outcome }) => `${resource} ${outcome}`));
 * // prints: [ 'presenceSubscription Released', 'application Released' ]
 * ```
 */
export function presence(ucwa: Ucwa, options: PresenceOptions): Observable<UcwaEvent> {
  const internals = internalsOf(ucwa);
  const { uris, durationMinutes = 30, graceSeconds, onEnd = 'recreate' } = objectOption('options', options);
  const wanted = {
    uris: checkUris(uris),
    durationMinutes: numberOption('durationMinutes', durationMinutes, { min: 10, max: 30, integer: true }),
  };
  if (graceSeconds !== undefined) numberOption('graceSeconds', graceSeconds, { min: 0, max: 86_400 });
  choiceOption('onEnd', onEnd, ['recreate', 'complete', 'error']);
  const { ledger } = internals;
  const own$ = defer(() => presenceStream(internals, wanted, onEnd));
  const events$ = graceSeconds === undefined ? own$ : own$.pipe(shareWithGrace(ledger, graceSeconds * 1000));
  return events$.pipe(untilClosed(ledger, 'presence'));
}

function checkUris(uris: unknown): readonly string[] {
  if (!Array.isArray(uris) || uris.length === 0)
    throw invalidOption('uris', uris, 'a list of at least one sip: URI');
  return uris.map((uri: unknown, index) => {
    if (typeof uri === 'string' && SIP_URI.test(uri)) return uri;
    throw invalidOption(`uris[${index}]`, uri, "a sip: URI such as 'sip:sara@contoso.com'");
  });
}
