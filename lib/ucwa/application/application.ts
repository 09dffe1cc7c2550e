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
import { remoteResource } from '../../core/lifecycle/remoteResource.ts';
import { SuspendedError } from '../../core/lifecycle/suspension.ts';
import { mutex } from '../../core/rx/mutex.ts';
import { requestJson } from '../protocol/request.ts';
import { applicationCodec } from '../protocol/resource.ts';
import { retryTransient } from '../transport/backoff.ts';
import type { ConnectionCheckpointing } from './checkpointed.ts';
import { createdApplication, type CreationConfig, type OwnApplication } from './create.ts';
import { type ApplicationIdentity, randomId, type ConfiguredIdentity } from './identity.ts';
import { type LiveApplication, liveApplication, untilEnded } from './liveApplication.ts';
import { afterCreation, afterError, NOT_CREATED, type RecreationPolicy } from './recreation.ts';
import type { Publish } from './publish.ts';
import type { ResumptionConfig } from './resume.ts';

/** The options of {@link application}. */
interface ApplicationConfig
  extends Omit<CreationConfig, 'mayExist'>, Omit<ResumptionConfig, 'checkpointing'>, RecreationPolicy {
  /** Saves the resources on the server for the next process; undefined if nothing is saved. */
  readonly checkpointing: ConnectionCheckpointing | undefined;
  /** The application to create; undefined if it exists already. */
  readonly identity: ConfiguredIdentity | undefined;
  /**
   * How long the application is kept after the last unsubscription, in milliseconds. Before its creation is
   * sent it is not kept.
   */
  readonly graceMs: number;
  readonly pause: Pause;
  readonly publish: Publish | undefined;
  /** Called with each application before it is emitted. */
  readonly onMade: (application: LiveApplication) => void;
}

/**
 * Returns an Observable that emits the shared application and stays open.
 *
 * The first subscriber creates the application, or fetches the given one. If it was created here, it is
 * deleted after the last subscriber has left. The server treats applications of one identity as the same, so
 * a new one is created only after the previous removal has completed.
 *
 * If an application that was created here is lost, it is re-created with backoff and emitted. If another
 * client has taken over its channel, a new instance is created. It errors if a given application is gone, if
 * the server has ended the application and `onApplicationEnded` is `error`, or if the server refuses a new
 * one. It can be subscribed to again after an error.
 */
export function application(config: ApplicationConfig): Observable<LiveApplication> {
  const { identity, ledger, graceMs, publish } = config;
  // Without an application on the server there is nothing to keep.
  let isOnServer = false;
  const mayExist = (it: boolean): void => void (isOnServer = it);
  const own$ = identity === undefined ? existing(config) : created({ ...config, mayExist }, identity);
  const live$ = own$.pipe(
    tap(() => mayExist(true)),
    finalize(() => mayExist(false)),
  );
  const seen$ =
    publish === undefined ? live$ : live$.pipe(switchMap((live) => merge(of(live), publish(live, config))));
  return seen$.pipe(
    shareWithGrace(
      ledger,
      () => (isOnServer ? graceMs : 0),
      () => new ReplaySubject(1),
    ),
    // A subscriber that arrives during a re-creation waits for the new application.
    filter(({ isEnded: isOver }) => !isOver),
  );
}

function created(
  config: ApplicationConfig & CreationConfig,
  configured: ConfiguredIdentity,
): Observable<LiveApplication> {
  const { pause, checkpointing, onMade } = config;
  let { identity } = configured;
  // All creations share it, so that each waits for the previous removal.
  const mutex$ = mutex();

  const living = (own: OwnApplication): Observable<LiveApplication> => {
    const created$ = createdApplication(config, mutex$, () => identity, own);
    return defer(() => {
      let state = NOT_CREATED;
      let last: LiveApplication | undefined;

      const again = (error: unknown): Observable<unknown> => {
        if (error instanceof SuspendedError) {
          // Everything on the application goes with it.
          last?.markGone(error);
          config.mayExist(false);
        } else if (state.createdAt !== undefined && last?.isGone === false) {
          identity = { ...identity, instanceId: randomId() };
        }
        const [next, step] = afterError(state, error, asyncScheduler.now(), config);
        state = next;
        if (step.type === 'fail') return throwError(() => error);
        return step.afterFailures === 0 ? of(undefined) : pause(step.afterFailures, error);
      };

      return created$.pipe(
        tap((live) => {
          last = live;
          onMade(live);
          state = afterCreation(state, asyncScheduler.now());
        }),
        retryWhen({ delay: again }),
      );
    });
  };

  if (checkpointing === undefined) return living(remoteResource);
  const adopt = (known: ApplicationIdentity): void => void (identity = known);
  return checkpointing.resumedApplications({ ...config, checkpointing }, configured, adopt, living);
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
    map((response) => {
      const live = liveApplication(response, false);
      // The channel resumes at its last position if the application is still the same.
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
