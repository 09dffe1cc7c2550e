import {
  asyncScheduler,
  defer,
  filter,
  finalize,
  identity as unchanged,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  ReplaySubject,
  retry as retryWhen,
  switchMap,
  tap,
  throwError,
} from 'rxjs';
import type { Pause } from '../../core/backoff/backoff.ts';
import { shareWithGrace } from '../../core/lifecycle/closing.ts';
import { mutex } from '../../core/rx/mutex.ts';
import { decide, isRecreated, type OnApplicationEnded } from '../protocol/failures.ts';
import { requestJson } from '../protocol/request.ts';
import { applicationCodec } from '../protocol/resource.ts';
import { retryTransient } from '../transport/backoff.ts';
import { createdApplication, type CreationConfig } from './create.ts';
import { isWanted, randomId, type WantedIdentity } from './identity.ts';
import { CONNECTION_JOURNAL, type ConnectionJournal } from './journal.ts';
import { type LiveApplication, liveApplication, untilEnded } from './liveApplication.ts';
import type { Publish } from './publish.ts';
import { type OrphanRemovalConfig, removeApplicationOrphans } from './resume.ts';

/** How an application is held. */
interface ApplicationConfig
  extends Omit<CreationConfig, 'onHeld'>, Omit<OrphanRemovalConfig, 'checkpointing'> {
  /** The application to create; undefined if it exists already. */
  readonly identity: WantedIdentity | undefined;
  /**
   * How long it is kept after the last subscriber has left, if the server has it or is being asked for it.
   */
  readonly graceMs: number;
  readonly pause: Pause;
  /** What to do when the server has ended it and says so. */
  readonly onApplicationEnded: OnApplicationEnded;
  /** What to do before there was an application. */
  readonly whenUnreachable: 'wait' | 'error';
  readonly publish: Publish | undefined;
  /** Called with each application before anybody else is given it. */
  readonly onMade: (application: LiveApplication) => void;
}

/** An application that is gone sooner than this is waited for before it is made again. */
const LASTS_AT_LEAST_MS = 60_000;

/**
 * Returns an Observable that emits the application and stays open: while anybody is subscribed, it is there.
 *
 * The first subscriber creates it, or asks for the given one, and all share it. When the last has left, the
 * application is deleted if it was created here. There is one at a time: applications of one identity are the
 * same one to the server, so a new one is created when the removal of the one before is through.
 *
 * One that was created here and is found to be gone is made again, with patience, and emitted; so is another
 * instance of it where its channel was left to another client. It errors where
 * that cannot be: with how a given one was found to be gone, with why the server has ended it, with what
 * refuses a new one. It can be subscribed to again then.
 */
export function application(config: ApplicationConfig): Observable<LiveApplication> {
  const { identity, ledger, graceMs, publish } = config;
  // While nothing is sent, leaving sends nothing: there is no grace time then.
  let isHeld = false;
  const onHeld = (it: boolean): void => void (isHeld = it);
  const held = (identity === undefined ? existing(config) : created({ ...config, onHeld }, identity)).pipe(
    tap(() => onHeld(true)),
    finalize(() => onHeld(false)),
  );
  const seen$ =
    publish === undefined ? held : held.pipe(switchMap((live) => merge(of(live), publish(live, config))));
  return seen$.pipe(
    shareWithGrace(
      ledger,
      () => (isHeld ? graceMs : 0),
      () => new ReplaySubject(1),
    ),
    // Who comes while it is being made again waits for the new one.
    filter(({ isEnded: isOver }) => !isOver),
  );
}

function created(
  config: ApplicationConfig & CreationConfig,
  wanted: WantedIdentity,
): Observable<LiveApplication> {
  const { pause, onApplicationEnded, whenUnreachable, checkpointing, ledger, onMade } = config;
  let { identity } = wanted;
  // One for all, so that everybody has to wait for it.
  const turn$ = mutex();

  const living = (journal: ConnectionJournal | undefined): Observable<LiveApplication> => {
    const created$ = createdApplication(config, turn$, () => identity, journal);
    return defer(() => {
      let last: LiveApplication | undefined;
      let madeAt = 0;
      let failures = 0;
      /** Whether what errors is the application that was there, and not the attempt to make another. */
      let isThere = false;

      const again = (error: unknown): Observable<unknown> => {
        const isFirst = last === undefined && whenUnreachable === 'error';
        if (isFirst) return throwError(() => error);
        if (last === undefined || !isThere) {
          failures += 1;
          return decide('channel', error, failures) === 'retry'
            ? pause(failures, error)
            : throwError(() => error);
        }
        isThere = false;
        if (!last.isGone) identity = { ...identity, instanceId: randomId() };
        if (!isRecreated(error, onApplicationEnded)) return throwError(() => error);
        failures = asyncScheduler.now() - madeAt < LASTS_AT_LEAST_MS ? failures + 1 : 0;
        return failures < 2 ? of(undefined) : pause(failures - 1);
      };

      return created$.pipe(
        tap((live) => {
          last = live;
          onMade(live);
          madeAt = asyncScheduler.now();
          isThere = true;
        }),
        retryWhen({ delay: again }),
      );
    });
  };

  if (checkpointing === undefined) return living(undefined);
  return checkpointing.open(CONNECTION_JOURNAL, ledger).pipe(
    switchMap((journal) => {
      const before = journal.position.application?.identity;
      // With its identity the application of the process before is found again.
      const isFoundAgain = before !== undefined && isWanted(before, wanted);
      if (isFoundAgain) identity = before;
      return living(journal).pipe(
        tap((live) => removeApplicationOrphans({ ...config, checkpointing }, journal, live, isFoundAgain)),
      );
    }),
  );
}

function existing({
  location,
  transport,
  onMade,
  whenUnreachable,
  pause,
}: ApplicationConfig): Observable<LiveApplication> {
  let last: LiveApplication | undefined;
  return location.url$.pipe(
    mergeMap((url) => requestJson(transport, { method: 'GET', url }, applicationCodec, 'application')),
    whenUnreachable === 'wait' ? retryTransient('channel', pause) : unchanged,
    map((answered) => {
      const live = liveApplication(answered);
      // The channel goes on where it was left, if it is still that of the same application.
      if (last?.self === live.self && !last.isEnded) {
        live.position = last.position;
        live.gets = last.gets;
      }
      last = live;
      onMade(live);
      return live;
    }),
    mergeMap((live) => untilEnded(live, () => undefined)),
  );
}
