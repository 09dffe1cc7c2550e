import { asyncScheduler, defer, map, type Observable, switchMap, tap, throwError } from 'rxjs';
import type { Pause } from '../../core/backoff/backoff.ts';
import type { Orphan } from '../../core/checkpoint/journal.ts';
import type { Checkpointing } from '../../core/checkpoint/checkpointing.ts';
import { OriginError } from '../../core/errors.ts';
import type { ReleaseLedger } from '../../core/lifecycle/ledger.ts';
import type { ReleaseResult } from '../../core/lifecycle/release.ts';
import { originOf } from '../../core/text.ts';
import type { Transport } from '../../core/transport/transport.ts';
import type { Acknowledgement } from '../protocol/cursor.ts';
import { decideDelete } from '../protocol/failures.ts';
import { hrefKey } from '../protocol/href.ts';
import { requestNothing } from '../protocol/request.ts';
import { APPLICATION_IF_LOST, type OwnApplication, type OwnedApplication } from './create.ts';
import { type ApplicationIdentity, type ConfiguredIdentity, isConfigured } from './identity.ts';
import { CONNECTION_JOURNAL, type ConnectionJournal, type ConnectionPosition } from './journal.ts';
import type { LiveApplication } from './liveApplication.ts';

/** The options of {@link resumedApplications}. */
export interface ResumptionConfig {
  readonly checkpointing: Checkpointing;
  readonly ledger: ReleaseLedger;
  readonly transport: Transport;
  readonly pause: Pause;
  readonly ack: Acknowledgement;
  /** The mutex of the subscription to contacts and groups: an application has only one. */
  readonly contactListMutex$: Observable<undefined>;
}

/**
 * Returns an Observable of the applications of a connection, which resumes where the previous process ended.
 *
 * @param adopt Called with the identity of the previous process, which finds its application again.
 * @param living Returns an Observable of the applications, given how each is owned.
 */
export function resumedApplications(
  config: ResumptionConfig,
  configured: ConfiguredIdentity,
  adopt: (identity: ApplicationIdentity) => void,
  living: (own: OwnApplication) => Observable<LiveApplication>,
): Observable<LiveApplication> {
  const { checkpointing, ledger, ack } = config;
  return checkpointing.open(CONNECTION_JOURNAL, ledger).pipe(
    switchMap((journal) => {
      const before = journal.position.application?.identity;
      const isFoundAgain = before !== undefined && isConfigured(before, configured);
      if (isFoundAgain) adopt(before);
      return living((application, identify) =>
        checkpointing.journaled(recorded(application, identify, journal, ack), () => journal),
      ).pipe(tap((live) => removeApplicationOrphans(config, journal, live, isFoundAgain)));
    }),
  );
}

/** Returns the lifecycle of an application that is recorded in a journal. */
function recorded(
  application: OwnedApplication,
  identify: () => ApplicationIdentity,
  journal: ConnectionJournal,
  ack: Acknowledgement,
): OwnedApplication {
  const { parent$, acquire, release } = application;
  let asked = journal.position.application;
  return {
    ...application,
    parent$: parent$.pipe(tap(() => recordIdentity(journal, identify()))),
    acquire: (...one) =>
      acquire(...one).pipe(
        tap((live) => {
          resumeFromCheckpoint(journal, live, identify(), ack, asked);
          asked = undefined;
        }),
      ),
    release: (...left) => {
      // No position is needed after the DELETE.
      journal.close();
      return release(...left);
    },
  };
}

/** Saves the identity before the creation, so that the next process finds the application. */
function recordIdentity(journal: ConnectionJournal, identity: ApplicationIdentity): void {
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
function resumeFromCheckpoint(
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
  const { self, events, position, pendingGap: lost } = live;
  // Until the gap is emitted here, the next process has to emit it.
  const goesOnAt = ack === 'processed' && lost === undefined ? (position?.url ?? events) : undefined;
  journal.advance({ application: { identity, self }, next: goesOnAt });
}

function isAtOriginOf(href: string, url: string): boolean {
  return originOf(href) === new URL(url).origin;
}

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
function removeApplicationOrphans(
  config: ResumptionConfig,
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
    else removeWhenFree(config, application, one);
  }
}

/**
 * Removes an orphaned subscription to contacts and groups, unless one is in use.
 *
 * The server treats both as the same subscription.
 */
function removeWhenFree(config: ResumptionConfig, application: LiveApplication, left: Orphan): void {
  // A free mutex emits synchronously.
  let isFree = false as boolean;
  const waiting = config.contactListMutex$.subscribe(() => (isFree = true));
  const clear = (): void => {
    waiting.unsubscribe();
    left.clear();
  };
  if (isFree) remove(config, application, { ...left, clear });
  else clear();
}

function remove(
  { checkpointing, ledger, transport, pause }: ResumptionConfig,
  { self }: LiveApplication,
  { removedAt, ...left }: Orphan,
): void {
  const { origin } = new URL(self);
  const isApplication = left.resource === 'application';
  const unknownHint = isApplication ? APPLICATION_IF_LOST : SUBSCRIPTION_IF_LOST;
  checkpointing.removeOrphan(ledger, left, { url: origin, unknownHint }, (id) => ({
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
