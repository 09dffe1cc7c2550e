import {
  asyncScheduler,
  catchError,
  defer,
  filter,
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
import { type ReleaseLedger } from '../core/releases.ts';
import { shareWithGrace } from '../core/shareWithGrace.ts';
import { remoteResource } from '../core/remoteResource.ts';
import type { RequestProgress, Transport } from '../core/transport.ts';
import { DEFAULT_RETRIES, type RetryPolicy } from '../core/withRetry.ts';
import { decide, decideRelease, isMadeAgain, type OnExpelled } from './decision.ts';
import { type LiveApplication, liveApplication } from './liveApplication.ts';
import type { Location } from './location.ts';
import type { Pause } from './pause.ts';
import { type Publication, published } from './publish.ts';
import { randomId } from './randomId.ts';
import { type Answered, requestJson, requestNothing } from './request.ts';
import { turns } from './turns.ts';
import { applicationCodec, type ApplicationResource } from './wire.ts';

/** What an application tells of itself. Each is at most 100 characters long. [applications_ref] */
export interface ApplicationIdentity {
  readonly culture: string;
  readonly endpointId: string;
  readonly userAgent: string;
  readonly instanceId?: string;
}

/** Where the application comes from. */
export type ApplicationSource =
  { readonly kind: 'create'; readonly identity: ApplicationIdentity } | { readonly kind: 'given' };

/** How an application is held. */
export interface ApplicationConfig {
  readonly source: ApplicationSource;
  readonly location: Location;
  readonly transport: Transport;
  readonly ledger: ReleaseLedger;
  /** How long it is kept after the last has left. */
  readonly graceMs: number;
  readonly retry: RetryPolicy;
  readonly pause: Pause;
  /** What to do when the server has ended it and says so. */
  readonly onExpelled: OnExpelled;
  /** How the user is to be seen by others, if at all. */
  readonly publication: Publication | undefined;
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
  const { source, ledger, graceMs, publication } = config;
  const held = source.kind === 'create' ? kept(config, source.identity) : given(config);
  const seen$ =
    publication === undefined
      ? held
      : held.pipe(switchMap((live) => merge(of(live), published(live, publication, config))));
  return seen$.pipe(
    shareWithGrace(ledger, graceMs, () => new ReplaySubject(1)),
    // Who comes while it is being made again waits for the new one.
    filter(({ isOver }) => !isOver),
  );
}

function kept(config: ApplicationConfig, first: ApplicationIdentity): Observable<LiveApplication> {
  const { pause, onExpelled } = config;
  let identity = first;
  // Made once, for it gives everybody their turn.
  const created$ = created(config, () => identity);
  return defer(() => {
    let last: LiveApplication | undefined;
    let madeAt = 0;
    let failures = 0;
    /** Whether what errors is the application that was there, and not the attempt to make another. */
    let isThere = false;

    const again = (error: unknown): Observable<unknown> => {
      if (last === undefined) return throwError(() => error);
      if (!isThere) {
        failures += 1;
        return decide('channel', error, failures) === 'retry'
          ? pause(failures, error)
          : throwError(() => error);
      }
      isThere = false;
      if (!last.isLost) identity = { ...identity, instanceId: randomId() };
      if (!isMadeAgain(error, onExpelled)) return throwError(() => error);
      failures = asyncScheduler.now() - madeAt < LASTS_AT_LEAST_MS ? failures + 1 : 0;
      return failures < 2 ? of(undefined) : pause(failures - 1);
    };

    return created$.pipe(
      tap((live) => {
        last = live;
        madeAt = asyncScheduler.now();
        isThere = true;
      }),
      retryWhen({ delay: again }),
    );
  });
}

function created(
  { location, transport, ledger, retry }: ApplicationConfig,
  identify: () => ApplicationIdentity,
): Observable<LiveApplication> {
  /** How often the transport has sent it when it gives up. */
  const attempts = (retry.retries ?? DEFAULT_RETRIES) + 1;
  const post = (
    onProgress: (progress: RequestProgress) => void,
  ): Observable<Answered<ApplicationResource>> => {
    const identity = identify();
    // Only applications of the second version know instances. [MultiTabSupport]
    const headers = identity.instanceId === undefined ? {} : { 'x-ms-requiresminresourceversion': '2' };
    // The same identity is the same application: sending it twice creates one.
    const request = { method: 'POST', body: identity, headers, idempotent: true, onProgress };
    const posted$ = location.url$.pipe(
      mergeMap((url) => requestJson(transport, { ...request, url }, applicationCodec, 'application')),
    );
    return posted$.pipe(
      catchError((error: unknown) =>
        location
          .hasMoved(error, attempts)
          .pipe(mergeMap((hasMoved) => (hasMoved ? posted$ : throwError(() => error)))),
      ),
    );
  };
  return remoteResource<LiveApplication, LiveApplication, undefined>({
    resource: 'application',
    ledger,
    within: turns(),
    acquire: (_, onProgress) => post(onProgress).pipe(map(liveApplication)),
    identify: ({ self }) => self,
    use: (live, lease) =>
      whileUsed(live, () => lease.endedByServer(live.isLost ? undefined : { leftToAnother: true })),
    release: ({ self }) =>
      requestNothing(transport, { method: 'DELETE', url: self, keepalive: true }, 'application').pipe(
        map(() => ({})),
      ),
    decide: decideRelease,
    backoff: retry,
    ifLost: 'The server ends it, with everything on it, 15 minutes after its last client has gone.',
  });
}

function given({ location, transport }: ApplicationConfig): Observable<LiveApplication> {
  let last: LiveApplication | undefined;
  return location.url$.pipe(
    mergeMap((url) => requestJson(transport, { method: 'GET', url }, applicationCodec, 'application')),
    map((answered) => {
      const live = liveApplication(answered);
      // The channel goes on where it was left, if it is still that of the same application.
      if (last?.self === live.self && !last.isOver) {
        live.place = last.place;
        live.parameters = last.parameters;
      }
      last = live;
      return live;
    }),
    mergeMap((live) => whileUsed(live, () => undefined)),
  );
}

/** Emits the application, and errors when it is over. */
function whileUsed(live: LiveApplication, onOver: () => void): Observable<LiveApplication> {
  const over$ = live.over$.pipe(
    mergeMap((error) => {
      onOver();
      return throwError(() => error);
    }),
  );
  // Who is given the application may find at once that it is gone.
  return merge(over$, of(live));
}
