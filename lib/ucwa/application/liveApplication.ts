import {
  asyncScheduler,
  merge,
  mergeMap,
  type Observable,
  of,
  Subject,
  throwError,
  catchError,
  map,
} from 'rxjs';
import { DecodeError } from '../../core/errors.ts';
import type { Cursor } from '../protocol/cursor.ts';
import type { GapReason } from '../protocol/events.ts';
import { absolute } from '../protocol/href.ts';
import { type DecodedResponse, requestNothing } from '../protocol/request.ts';
import {
  type ApplicationResource,
  embeddedResource,
  hrefOf,
  type Me,
  meIn,
  type Resource,
  type EmbeddedResource,
} from '../protocol/resource.ts';
import type { ConnectionJournal } from './journal.ts';
import { noPendingGets, type PendingGets } from './pendingGets.ts';
import type { Transport } from '../../core/transport/transport.ts';
import { decide } from '../protocol/failures.ts';
import type { Pause } from '../../core/backoff/backoff.ts';
import { retryTransient } from '../transport/backoff.ts';

/** An application on the server. Its hrefs are valid only while it exists. */
export interface Application {
  /** The URL of the application, absolute. */
  readonly self: string;
  /** The event channel, absolute. */
  readonly events: string;
  /** The user. */
  readonly me: Me;
  /** The `people` resource of the user, with links to contacts, groups and the search. */
  readonly people: EmbeddedResource;
  /** The resource as the server sent it; its links are relative to `self`. */
  readonly resource: Resource;
}

/** An application, with the state that the parts of a connection share. */
export interface LiveApplication extends Application {
  /** The `batch` link, absolute; undefined if the server offers none. */
  readonly batch: string | undefined;
  /** Whether this connection creates and deletes it; false if it was given. */
  readonly isOwn: boolean;
  /** Whether the server has just created it; false if it existed already. */
  readonly isNew: boolean;
  /** The position of the event channel; it is kept after all subscribers have left. */
  position: Cursor | undefined;
  /** The pending GETs of its event channel. */
  gets: PendingGets;
  /** A gap that the event channel has not emitted yet. */
  pendingGap: GapReason | undefined;
  /** The journal for the next process; undefined if nothing is saved. */
  journal: ConnectionJournal | undefined;
  /** Whether it is gone from the server: nothing is sent to its hrefs any more. */
  readonly isGone: boolean;
  /** Whether it must not be used any more: it is gone, or left to another client. */
  readonly isEnded: boolean;
  /** The error that ended it. */
  readonly endedBy: unknown;
  /** Ends it with the error that showed that it is gone. */
  markGone(error: unknown): void;
  /** Ends it because another client has taken over its channel. */
  handOver(error: unknown): void;
  /** Emits the error that ended it. */
  readonly ended$: Observable<unknown>;
}

/** Creates the application from a response of the server. */
export function liveApplication(
  { value, status, url }: DecodedResponse<ApplicationResource>,
  isOwn: boolean,
): LiveApplication {
  const batch = hrefOf(value, 'batch');
  const over = new Subject<unknown>();
  let isLost = false;
  let isOver = false;
  let endedBy: unknown;
  const end = (error: unknown): void => {
    if (isOver) return;
    isOver = true;
    endedBy = error;
    over.next(error);
  };
  return {
    self: linkOf(value, 'self', url),
    events: linkOf(value, 'events', url),
    me: meIn(value, url),
    people: embeddedResource(value, 'people', url),
    resource: value,
    isOwn,
    isNew: status === 201,
    batch: batch === undefined ? undefined : absolute(batch, url),
    position: undefined,
    gets: noPendingGets(status === 201, asyncScheduler.now()),
    pendingGap: undefined,
    journal: undefined,
    get isGone() {
      return isLost;
    },
    get isEnded() {
      return isOver;
    },
    get endedBy() {
      return endedBy;
    },
    markGone: (error) => {
      isLost = true;
      end(error);
    },
    handOver: end,
    ended$: over,
  };
}

/**
 * Returns an Observable that emits the application, and errors when it has ended.
 *
 * @param onOver Called before the error.
 */
export function untilEnded(live: LiveApplication, onOver: () => void): Observable<LiveApplication> {
  const over$ = live.ended$.pipe(
    mergeMap((error) => {
      onOver();
      return throwError(() => error);
    }),
  );
  // The end comes first: a subscriber may mark the application as gone during delivery.
  return merge(over$, of(live));
}

/** Returns the URL at which presence subscriptions are created. */
export function presenceSubscriptionsOf({ people, self }: Application): string {
  return linkOf(people, 'presenceSubscriptions', self);
}

/** Returns the absolute href of a required link; throws a DecodeError if it is missing. */
export function linkOf(resource: Resource, rel: string, base: string): string {
  const href = hrefOf(resource, rel);
  if (href !== undefined) return absolute(href, base);
  throw new DecodeError(resource.rel ?? 'resource', {
    path: `/_links/${rel}`,
    expected: 'a link',
    actual: 'nothing',
  });
}

/**
 * Returns an Observable that emits whether an application still exists.
 *
 * A 404 for a resource may mean that its application is gone. If so, the application is marked as gone.
 * Transient failures are retried; it errors if the server refuses the request.
 *
 * @see [MS-UCWA] ExtendAPresenceSubscription
 */
export function probeApplication(
  application: LiveApplication,
  { transport, pause }: { readonly transport: Transport; readonly pause: Pause },
): Observable<boolean> {
  if (application.isEnded) return of(false);
  return requestNothing(transport, { method: 'GET', url: application.self }, 'application').pipe(
    retryTransient('release', pause),
    map(() => true),
    catchError((error: unknown) => {
      if (decide('release', error, 1) !== 'gone') return throwError(() => error);
      application.markGone(error);
      return of(false);
    }),
  );
}
