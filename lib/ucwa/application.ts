import {
  asyncScheduler,
  defer,
  filter,
  map,
  merge,
  mergeMap,
  type Observable,
  of,
  race,
  ReplaySubject,
  retry,
  share,
  Subject,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { DecodeError } from '../core/errors.ts';
import type { ReleaseLedger } from '../core/releases.ts';
import { remoteResource } from '../core/remoteResource.ts';
import type { RequestProgress, Transport } from '../core/transport.ts';
import type { BackoffPolicy } from '../core/backoff.ts';
import type { ChannelParameters, Cursor } from './cursor.ts';
import { decide, decideRelease, isMadeAgain, type OnExpelled } from './decision.ts';
import { absolute } from './href.ts';
import type { Pause } from './pause.ts';
import { randomId } from './randomId.ts';
import { type Answered, requestJson, requestNothing } from './request.ts';
import { turns } from './turns.ts';
import { applicationCodec, type ApplicationResource, embeddedIn, hrefOf, type Resource } from './wire.ts';

/** What an application tells of itself. Each is at most 100 characters long. [applications_ref] */
export interface ApplicationIdentity {
  readonly culture: string;
  readonly endpointId: string;
  readonly userAgent: string;
  readonly instanceId?: string;
}

/** An application on the server. Its hrefs do not outlive it. */
export interface Application {
  /** Absolute. */
  readonly self: string;
  /** The event channel, absolute. */
  readonly events: string;
  /** What came, with all its links; those are relative to `self`. */
  readonly resource: Resource;
}

/** An application, as the parts of this library share it. */
export interface LiveApplication extends Application {
  /** Where the event channel goes on; it outlives those who listen. */
  place: Cursor | undefined;
  /** What its channel was last told of how long to hold events back. */
  parameters: ChannelParameters | undefined;
  /** Whether it was found to be gone, and everything on it: nothing is sent to its hrefs any more. */
  readonly isLost: boolean;
  /** Whether it is no longer the one to be used: it is lost, or left to another client. */
  readonly isOver: boolean;
  /** Says that it is gone, and how that was found. */
  lose(error: unknown): void;
  /** Leaves it to the client that has taken over its channel. */
  leave(error: unknown): void;
  /** Emits the error by which it came to be over. */
  readonly over$: Observable<unknown>;
}

/** Where the application comes from. */
export type ApplicationSource =
  | { readonly kind: 'create'; readonly url: string; readonly identity: ApplicationIdentity }
  | { readonly kind: 'given'; readonly url: string };

/** How an application is held. */
export interface ApplicationConfig {
  readonly source: ApplicationSource;
  readonly transport: Transport;
  readonly ledger: ReleaseLedger;
  /** How long it is kept after the last has left. */
  readonly graceMs: number;
  readonly backoff: BackoffPolicy;
  readonly pause: Pause;
  /** What to do when the server has ended it and says so. */
  readonly onExpelled: OnExpelled;
}

interface Creation {
  readonly url: string;
  readonly identity: ApplicationIdentity;
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
  const { source, ledger, graceMs } = config;
  const held = source.kind === 'create' ? kept(config, source) : given(config, source.url);
  return held.pipe(
    share({
      connector: () => new ReplaySubject(1),
      resetOnRefCountZero: graceMs === 0 ? true : () => race(timer(graceMs), ledger.flush$),
    }),
    // Who comes while it is being made again waits for the new one.
    filter(({ isOver }) => !isOver),
  );
}

function kept(config: ApplicationConfig, creation: Creation): Observable<LiveApplication> {
  const { pause, onExpelled } = config;
  let { identity } = creation;
  // Made once, for it gives everybody their turn.
  const created$ = created(config, creation.url, () => identity);
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
      retry({ delay: again }),
    );
  });
}

function created(
  { transport, ledger, backoff }: ApplicationConfig,
  url: string,
  identify: () => ApplicationIdentity,
): Observable<LiveApplication> {
  const post = (
    onProgress: (progress: RequestProgress) => void,
  ): Observable<Answered<ApplicationResource>> => {
    const identity = identify();
    // Only applications of the second version know instances. [MultiTabSupport]
    const headers = identity.instanceId === undefined ? {} : { 'x-ms-requiresminresourceversion': '2' };
    // The same identity is the same application: sending it twice creates one.
    const request = { method: 'POST', url, body: identity, headers, idempotent: true, onProgress };
    return requestJson(transport, request, applicationCodec, 'application');
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
    backoff,
    ifLost: 'The server ends it, with everything on it, 15 minutes after its last client has gone.',
  });
}

function given({ transport }: ApplicationConfig, url: string): Observable<LiveApplication> {
  let last: LiveApplication | undefined;
  return defer(() => requestJson(transport, { method: 'GET', url }, applicationCodec, 'application')).pipe(
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

function liveApplication({ value, url }: Answered<ApplicationResource>): LiveApplication {
  const over = new Subject<unknown>();
  let isLost = false;
  let isOver = false;
  const end = (error: unknown): void => {
    if (isOver) return;
    isOver = true;
    over.next(error);
  };
  return {
    self: linkOf(value, 'self', url),
    events: linkOf(value, 'events', url),
    resource: value,
    place: undefined,
    parameters: undefined,
    get isLost() {
      return isLost;
    },
    get isOver() {
      return isOver;
    },
    lose: (error) => {
      isLost = true;
      end(error);
    },
    leave: end,
    over$: over,
  };
}

/** Where presence subscriptions are created. */
export function presenceSubscriptionsOf({ resource, self }: Application): string {
  const [people = {}] = embeddedIn(resource, 'people');
  return linkOf(people, 'presenceSubscriptions', self);
}

/** The href of a link that has to be there, made absolute. */
export function linkOf(resource: Resource, rel: string, base: string): string {
  const href = hrefOf(resource, rel);
  if (href !== undefined) return absolute(href, base);
  throw new DecodeError(resource.rel ?? 'resource', {
    path: `/_links/${rel}`,
    expected: 'a link',
    actual: 'nothing',
  });
}
