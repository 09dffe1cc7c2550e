import { asyncScheduler, defer, map, type Observable, throwError } from 'rxjs';
import type { Pause } from '../../core/backoff/backoff.ts';
import type { Orphan } from '../../core/checkpoint/journal.ts';
import type { Checkpointing } from '../../core/checkpoint/checkpointed.ts';
import { OriginError } from '../../core/errors.ts';
import type { ReleaseLedger } from '../../core/lifecycle/ledger.ts';
import type { ReleaseResult } from '../../core/lifecycle/release.ts';
import { originOf } from '../../core/text.ts';
import type { Transport } from '../../core/transport/transport.ts';
import type { Acknowledgement } from '../protocol/cursor.ts';
import { decideDelete } from '../protocol/failures.ts';
import { hrefKey } from '../protocol/href.ts';
import { requestNothing } from '../protocol/request.ts';
import type { ApplicationIdentity } from './identity.ts';
import type { ConnectionJournal, ConnectionPosition } from './journal.ts';
import type { LiveApplication } from './liveApplication.ts';

/** Saves the identity before the creation, so that the next process finds the application. */
export function recordIdentity(journal: ConnectionJournal, identity: ApplicationIdentity): void {
  const { position } = journal;
  journal.advance({ ...position, application: { ...position.application, identity } });
}

/**
 * Resumes the event channel of an application from the journal, and saves the application there.
 *
 * If the journal has no position in this application, events were lost and a gap is pending, unless there was
 * no application before.
 *
 * @param asked The last request of an earlier process, which may have received events without processing
 * them.
 */
export function resumeFromCheckpoint(
  journal: ConnectionJournal,
  live: LiveApplication,
  identity: ApplicationIdentity,
  ack: Acknowledgement,
  asked: ConnectionPosition['application'],
): void {
  const { application: before, next } = journal.position;
  if (before?.self !== undefined) {
    const isSame = hrefKey(before.self) === hrefKey(live.self);
    // An href from a file is followed only to the origin of the server.
    if (isSame && next !== undefined && isAtOriginOf(next, live.events)) live.position = { url: next };
    else live.pendingGap = isSame ? 'resync' : 'recreated';
  } else if (asked !== undefined) {
    // The same application sends unacknowledged events again.
    if (asked.identity !== identity) live.pendingGap = 'recreated';
    else if (ack === 'eager' || live.isNew) live.pendingGap = 'resync';
  }
  live.journal = journal;
  const { self, events, position: place, pendingGap: lost } = live;
  // Until the gap is emitted here, the next process has to emit it.
  const goesOnAt = ack === 'processed' && lost === undefined ? (place?.url ?? events) : undefined;
  journal.advance({ application: { identity, self }, next: goesOnAt });
}

function isAtOriginOf(href: string, url: string): boolean {
  return originOf(href) === new URL(url).origin;
}

/** The options of {@link removeApplicationOrphans}. */
export interface OrphanRemovalConfig {
  readonly checkpointing: Pick<Checkpointing, 'removeOrphans'>;
  readonly ledger: ReleaseLedger;
  readonly transport: Transport;
  readonly pause: Pause;
  /** The mutex of the subscription to contacts and groups: an application has only one. */
  readonly contactListMutex$: Observable<undefined>;
}

/** The `unknownHint` of an application. */
export const APPLICATION_IF_LOST =
  'The server ends it, with everything on it, 15 minutes after its last client has gone.';
const SUBSCRIPTION_IF_LOST =
  'If the server has created it, it ends it after 30 minutes at most, or together with the application.';

const APPLICATION_MS = 15 * 60_000;
const SUBSCRIPTION_MS = 30 * 60_000;

/**
 * Removes the resources that the previous process has left on the server.
 *
 * Removal starts at once, and each resource gets an outcome in the ledger. Resources that this connection has
 * taken over are kept.
 *
 * @param isFoundAgain Whether the application is the last requested one, even if that request got no
 * response.
 */
export function removeApplicationOrphans(
  config: OrphanRemovalConfig,
  journal: ConnectionJournal,
  application: LiveApplication,
  isFoundAgain: boolean,
): void {
  const left = journal.takeOrphans();
  const isTakenOver = ({ resource, id }: Orphan): boolean =>
    resource === 'application' &&
    (id === undefined ? isFoundAgain : hrefKey(id) === hrefKey(application.self));
  const isSameApplication = left.some(isTakenOver);
  for (const one of left) {
    if (isTakenOver(one)) one.clear();
    else if (one.removedAt === undefined || !isSameApplication) remove(config, application, one);
    else removeInTurn(config, application, one);
  }
}

/**
 * Removes an orphaned subscription to contacts and groups, unless one is in use.
 *
 * The server treats both as the same subscription.
 */
function removeInTurn(config: OrphanRemovalConfig, application: LiveApplication, left: Orphan): void {
  // A free mutex emits synchronously.
  let isFree = false as boolean;
  const turn = config.contactListMutex$.subscribe(() => (isFree = true));
  const clear = (): void => {
    turn.unsubscribe();
    left.clear();
  };
  if (isFree) remove(config, application, { ...left, clear });
  else clear();
}

function remove(
  { checkpointing, ledger, transport, pause }: OrphanRemovalConfig,
  { self }: LiveApplication,
  { removedAt, ...left }: Orphan,
): void {
  const { origin } = new URL(self);
  const isApplication = left.resource === 'application';
  const unknownHint = isApplication ? APPLICATION_IF_LOST : SUBSCRIPTION_IF_LOST;
  checkpointing.removeOrphans(ledger, left, { url: origin, unknownHint }, (id) => ({
    attempt: () =>
      removed(transport, origin, left.resource, removedAt === undefined ? 'DELETE' : 'POST', removedAt ?? id),
    decide: decideDelete,
    // The time of its last renewal is unknown; now is the latest possible one.
    expiresAt: asyncScheduler.now() + (isApplication ? APPLICATION_MS : SUBSCRIPTION_MS),
    pause,
  }));
}

/**
 * Returns an Observable that removes a resource, and errors if its href leaves this origin.
 *
 * The href was read from a file: neither a request nor a token may go elsewhere.
 */
function removed(
  transport: Transport,
  origin: string,
  resource: string,
  method: string,
  url: string,
): Observable<ReleaseResult> {
  return defer(() => {
    const refused = originOf(url);
    if (refused !== origin) {
      return throwError(() => new OriginError(origin, refused, `the href of a ${resource} that was left`));
    }
    return requestNothing(transport, { method, url, idempotent: true }, resource).pipe(map(() => ({})));
  });
}
