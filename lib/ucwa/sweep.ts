import { asyncScheduler, defer, map, type Observable, throwError } from 'rxjs';
import type { Pause } from '../core/backoff.ts';
import { OriginError } from '../core/errors.ts';
import { originOf } from '../core/text.ts';
import type { Left } from '../core/journal.ts';
import type { ReleaseResult } from '../core/release.ts';
import type { ReleaseLedger } from '../core/releases.ts';
import { sweep } from '../core/sweep.ts';
import type { Transport } from '../core/transport.ts';
import type { ConnectionJournal } from './connectionJournal.ts';
import { decideRelease } from './decision.ts';
import { hrefKey } from './href.ts';
import type { LiveApplication } from './liveApplication.ts';
import { requestNothing } from './request.ts';

/** What is needed to remove what was left. */
export interface SweepConfig {
  readonly ledger: ReleaseLedger;
  readonly transport: Transport;
  readonly pause: Pause;
  /** Whose turn it is with the one subscription to contacts and groups that an application has. */
  readonly contactsTurn$: Observable<undefined>;
}

/** What becomes of an application that is not removed. */
export const APPLICATION_IF_LOST =
  'The server ends it, with everything on it, 15 minutes after its last client has gone.';
const SUBSCRIPTION_IF_LOST =
  'If the server has created it, it ends it after 30 minutes at most, or together with the application.';

const APPLICATION_MS = 15 * 60_000;
const SUBSCRIPTION_MS = 30 * 60_000;

/**
 * Removes what the process before has left on the server: begun at once, and with an outcome in the ledger for each.
 * What this connection has taken over is not removed.
 *
 * @param isFoundAgain Whether the application is the one that was asked for last, even if that was not answered.
 */
export function sweepLeft(
  config: SweepConfig,
  journal: ConnectionJournal,
  application: LiveApplication,
  isFoundAgain: boolean,
): void {
  const left = journal.takeLeft();
  const isTakenOver = ({ resource, id }: Left): boolean =>
    resource === 'application' &&
    (id === undefined ? isFoundAgain : hrefKey(id) === hrefKey(application.self));
  const isSameApplication = left.some(isTakenOver);
  for (const one of left) {
    if (isTakenOver(one)) one.over();
    else if (one.removedAt === undefined || !isSameApplication) remove(config, application, one);
    else removeInTurn(config, application, one);
  }
}

/** To the server, the subscription to contacts and groups is the same one as that which is in use, if one is. */
function removeInTurn(config: SweepConfig, application: LiveApplication, left: Left): void {
  // Turns are given synchronously, where it is free.
  let isFree = false as boolean;
  const turn = config.contactsTurn$.subscribe(() => (isFree = true));
  const over = (): void => {
    turn.unsubscribe();
    left.over();
  };
  if (isFree) remove(config, application, { ...left, over });
  else over();
}

function remove(
  { ledger, transport, pause }: SweepConfig,
  { self }: LiveApplication,
  { removedAt, ...left }: Left,
): void {
  const { origin } = new URL(self);
  const isApplication = left.resource === 'application';
  const ifLost = isApplication ? APPLICATION_IF_LOST : SUBSCRIPTION_IF_LOST;
  sweep(ledger, left, { url: origin, ifLost }, (id) => ({
    attempt: () =>
      removed(transport, origin, left.resource, removedAt === undefined ? 'DELETE' : 'POST', removedAt ?? id),
    decide: decideRelease,
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
