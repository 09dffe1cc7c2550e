import { asyncScheduler, merge, mergeMap, type Observable, of, Subject, throwError } from 'rxjs';
import { DecodeError } from '../../core/errors.ts';
import type { Cursor } from '../protocol/cursor.ts';
import type { GapReason } from '../protocol/events.ts';
import { absolute } from '../protocol/href.ts';
import type { Answered } from '../protocol/request.ts';
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

/** An application on the server. Its hrefs do not outlive it. */
export interface Application {
  /** Absolute. */
  readonly self: string;
  /** The event channel, absolute. */
  readonly events: string;
  /** The user. */
  readonly me: Me;
  /**
   * Those whom the user can find and watch: its links lead to contacts, groups and the search. [people_ref]
   */
  readonly people: EmbeddedResource;
  /** What came, with all its links; those are relative to `self`. */
  readonly resource: Resource;
}

/** An application, as the parts of this library share it. */
export interface LiveApplication extends Application {
  /** Where requests can be sent together, absolute, if they can. */
  readonly batch: string | undefined;
  /** Whether the server has made it, and did not have it already. */
  readonly isNew: boolean;
  /** Where the event channel goes on; it outlives those who listen. */
  position: Cursor | undefined;
  /** The requests for events that were sent on it. */
  gets: PendingGets;
  /** What was lost before it, as long as its channel has not told. */
  pendingGap: GapReason | undefined;
  /** What is kept of it for the next process, where anything is. */
  journal: ConnectionJournal | undefined;
  /** Whether it was found to be gone, and everything on it: nothing is sent to its hrefs any more. */
  readonly isGone: boolean;
  /** Whether it is no longer the one to be used: it is lost, or left to another client. */
  readonly isEnded: boolean;
  /** Says that it is gone, and how that was found. */
  markGone(error: unknown): void;
  /** Leaves it to the client that has taken over its channel. */
  handOver(error: unknown): void;
  /** Emits the error by which it came to be over. */
  readonly ended$: Observable<unknown>;
}

/** Reads an application that the server has answered with. */
export function liveApplication({ value, status, url }: Answered<ApplicationResource>): LiveApplication {
  const batch = hrefOf(value, 'batch');
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
    me: meIn(value, url),
    people: embeddedResource(value, 'people', url),
    resource: value,
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
    markGone: (error) => {
      isLost = true;
      end(error);
    },
    handOver: end,
    ended$: over,
  };
}

/**
 * Returns an Observable that emits the application, and errors when it is over.
 *
 * @param onOver Called right before.
 */
export function untilEnded(live: LiveApplication, onOver: () => void): Observable<LiveApplication> {
  const over$ = live.ended$.pipe(
    mergeMap((error) => {
      onOver();
      return throwError(() => error);
    }),
  );
  // Who is given the application may find at once that it is gone.
  return merge(over$, of(live));
}

/** Where presence subscriptions are created. */
export function presenceSubscriptionsOf({ people, self }: Application): string {
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
