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

/** Notes that an application is about to be asked for: with this identity the next process finds it again. */
export function recordIdentity(journal: ConnectionJournal, identity: ApplicationIdentity): void {
  const { position } = journal;
  journal.advance({ ...position, application: { ...position.application, identity } });
}

/**
 * Lets an application that was made, or found again, go on where the journal says that its channel has come
 * to, and notes what it is. Where that is not said, or it is another application, events were lost since:
 * unless there never was one.
 *
 * @param asked What a process before asked for, which may have been handed events that nobody has processed.
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
    // What stands in a file is followed only where the server itself leads.
    if (isSame && next !== undefined && isAtOriginOf(next, live.events)) live.position = { url: next };
    else live.pendingGap = isSame ? 'resync' : 'recreated';
  } else if (asked !== undefined) {
    // Of the same one, what was not acknowledged comes again.
    if (asked.identity !== identity) live.pendingGap = 'recreated';
    else if (ack === 'eager' || live.isNew) live.pendingGap = 'resync';
  }
  live.journal = journal;
  const { self, events, position: place, pendingGap: lost } = live;
  // As long as the loss is not told, the next process has to tell it.
  const goesOnAt = ack === 'processed' && lost === undefined ? (place?.url ?? events) : undefined;
  journal.advance({ application: { identity, self }, next: goesOnAt });
}

function isAtOriginOf(href: string, url: string): boolean {
  return originOf(href) === new URL(url).origin;
}

/** What is needed to remove what was left. */
export interface OrphanRemovalConfig {
  readonly checkpointing: Pick<Checkpointing, 'removeOrphans'>;
  readonly ledger: ReleaseLedger;
  readonly transport: Transport;
  readonly pause: Pause;
  /** Whose turn it is with the one subscription to contacts and groups that an application has. */
  readonly contactListMutex$: Observable<undefined>;
}

/** What becomes of an application that is not removed. */
export const APPLICATION_IF_LOST =
  'The server ends it, with everything on it, 15 minutes after its last client has gone.';
const SUBSCRIPTION_IF_LOST =
  'If the server has created it, it ends it after 30 minutes at most, or together with the application.';

const APPLICATION_MS = 15 * 60_000;
const SUBSCRIPTION_MS = 30 * 60_000;

/**
 * Removes what the process before has left on the server: begun at once, and with an outcome in the ledger
 * for each. What this connection has taken over is not removed.
 *
 * @param isFoundAgain Whether the application is the one that was asked for last, even if that was not
 * answered.
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
 * To the server, the subscription to contacts and groups is the same one as that which is in use, if one is.
 */
function removeInTurn(config: OrphanRemovalConfig, application: LiveApplication, left: Orphan): void {
  // Turns are given synchronously, where it is free.
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
    // When it was last heard of is not known, but it was before.
    expiresAt: asyncScheduler.now() + (isApplication ? APPLICATION_MS : SUBSCRIPTION_MS),
    pause,
  }));
}

/** What stands in a file leads to this origin, or nothing is sent, and no token is asked for. */
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
