import {
  asapScheduler,
  asyncScheduler,
  BehaviorSubject,
  filter,
  firstValueFrom,
  map,
  merge,
  NEVER,
  noop,
  type Observable,
  Subject,
  type Subscriber,
  subscribeOn,
  take,
  timer,
} from 'rxjs';
import { LONGEST_TIMER_MS } from '../backoff/backoff.ts';
import { numberOption, objectOption } from '../options.ts';
import { excerpt } from '../text.ts';

/** What every entry of the ledger says. */
export interface ReleaseEntry {
  /** What kind of subscription it was, in the protocol's own words, such as `presenceSubscription`. */
  readonly resource: string;
  /**
   * The server's id or href for it: its first 300 characters, and U+FFFD for each that is not printable.
   * Undefined if the server's answer was lost.
   */
  readonly id: string | undefined;
  /** When the outcome was known. */
  readonly at: Date;
  /** What the protocol adds, such as `{ deletedEvent: 'seen' }`. */
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}

/** The server confirmed that it removed the subscription. */
export interface Released extends ReleaseEntry {
  readonly outcome: 'Released';
  readonly attempts: number;
}

/** The server says that it has no such subscription any more: it is as clean as after a removal. */
export interface AlreadyGone extends ReleaseEntry {
  readonly outcome: 'AlreadyGone';
  readonly attempts: number;
}

/** The server ended the subscription itself, and said so; nothing was sent. */
export interface EndedByServer extends ReleaseEntry {
  readonly outcome: 'EndedByServer';
}

/** The server could not be reached until the subscription's own expiry: it is gone by its own clock. */
export interface Expired extends ReleaseEntry {
  readonly outcome: 'Expired';
  readonly attempts: number;
  /** Why the last attempt failed. */
  readonly cause: unknown;
}

/** The answer to the creation was lost: the server may hold a subscription whose id nobody knows. */
export interface Unknown extends ReleaseEntry {
  readonly outcome: 'Unknown';
  readonly id: undefined;
  /** Why there was no answer. */
  readonly cause: unknown;
  /** What becomes of it, and what can be done. */
  readonly hint: string;
}

/** The server did not remove the subscription, and trying again would not help, or time ran out. */
export interface Failed extends ReleaseEntry {
  readonly outcome: 'Failed';
  readonly attempts: number;
  readonly cause: unknown;
}

/** How a subscription on the server ended. */
export type ReleaseOutcome = Released | AlreadyGone | EndedByServer | Expired | Unknown | Failed;

/** A subscription whose removal is under way. */
export interface PendingRelease {
  /** As of {@link ReleaseEntry}. */
  readonly resource: string;
  /** As of {@link ReleaseEntry}; undefined if its creation is not answered yet. */
  readonly id: string | undefined;
}

/** How long to drain. */
export interface DrainOptions {
  /**
   * How long to wait at most, in milliseconds. After it, `drain` leaves the releases that are still pending under
   * way, and `close` gives them up.
   * @default no limit for `drain`, whose releases are retried until they expire on the server; 10,000 for `close`
   */
  readonly timeoutMs?: number;
}

/** How to close. */
export interface CloseOptions extends DrainOptions {
  /**
   * Whether each release is sent at once although the server does not answer at present: for a page that goes, which
   * has no other turn.
   * @default false
   */
  readonly immediately?: boolean;
}

/** What a drain found. */
export interface DrainReport {
  /** Whether no outcome in `outcomes` is `Unknown` or `Failed`, and nothing is pending. */
  readonly clean: boolean;
  /** The releases that were pending when the time was up; missing if there were none. */
  readonly pending?: readonly PendingRelease[];
  /**
   * Every outcome that no earlier drain has reported, in order; of more than 1,000 those `Unknown` and `Failed`,
   * and the newest. Drains that overlap report the same. `close` adds each release that it gave up, as `Failed`,
   * and each creation, as `Unknown`.
   */
  readonly outcomes: readonly ReleaseOutcome[];
}

/**
 * The ledger of what was removed from the server, is being removed, and could not be removed.
 *
 * Unsubscribing is synchronous in RxJS and can report nothing; what becomes of the subscription on the
 * server is told here.
 */
export interface Releases extends AsyncDisposable {
  /** Emits every outcome when it is known. Never errors; completes never. */
  readonly outcomes$: Observable<ReleaseOutcome>;
  /** Emits how many releases are under way: at once, and on every change. Never errors; completes never. */
  readonly pending$: Observable<number>;
  /**
   * Resolves when nothing is pending, or the time is up. Until then every grace period ends at once, including
   * those that start meanwhile. Streams that are still subscribed are left alone. Never rejects; throws a
   * TypeError for an invalid time.
   */
  drain(options?: DrainOptions): Promise<DrainReport>;
  /**
   * Completes every stream of this connection, which releases what it holds, then drains for at most 10 seconds
   * or `timeoutMs`. After that it gives up: it aborts the requests of releases and sends no more. Never rejects.
   */
  close(options?: CloseOptions): Promise<DrainReport>;
}

/** The ledger's other face, for those who write in it. */
export interface ReleaseLedger extends Releases {
  /** Whether {@link Releases.close} was called. */
  readonly isClosed: boolean;
  /** Emits once, when the connection is closed. */
  readonly closing$: Observable<void>;
  /** Emits false when the releases of a connection that is closed have begun, and true before if they are immediate. */
  readonly leaving$: Observable<boolean>;
  /** The same for streams, of which there may be thousands: they complete then. */
  readonly streams: Set<Pick<Subscriber<never>, 'complete'>>;
  /** Emits when a drain or the closing begins, and at once while one is under way: grace periods end then. */
  readonly draining$: Observable<unknown>;
  /** Emits when `close` gives up, and at once after that: nothing may be sent or retried any more. */
  readonly givenUp$: Observable<unknown>;
  /** Notes that something is on its way that a drain waits for, until the returned function is called. */
  begin(what: PendingRelease): () => void;
  /** Writes an outcome down. */
  record(outcome: ReleaseOutcome): void;
}

const MOST_KEPT = 1000;
/** How long `close` waits unless it is given a time: as long as most process managers wait before they kill. */
const CLOSE_MS = 10_000;
/** How many characters of an id are kept: a server may make its ids as long as it likes. */
const LONGEST_ID = 300;

function isClean({ outcome }: ReleaseOutcome): boolean {
  return outcome !== 'Unknown' && outcome !== 'Failed';
}

function shownId<Id extends string | undefined>(id: Id): Id {
  return (id === undefined ? id : excerpt(id, LONGEST_ID)) as Id;
}

/** What an entry says of a resource, at this moment of the scheduler's clock. */
export function releaseEntry<Id extends string | undefined>(
  resource: string,
  id: Id,
  detail?: ReleaseEntry['detail'],
): ReleaseEntry & { readonly id: Id } {
  const at = new Date(asyncScheduler.now());
  return { resource, id: shownId(id), at, ...(detail === undefined ? {} : { detail }) };
}

/** Creates the ledger of one connection. */
export function releaseLedger(): ReleaseLedger {
  const outcomes = new Subject<ReleaseOutcome>();
  const pending = new BehaviorSubject(0);
  const underWay = new Set<PendingRelease>();
  const isDraining = new BehaviorSubject(false);
  const isGivenUp = new BehaviorSubject(false);
  const closing = new Subject<void>();
  const leaving = new Subject<boolean>();
  const streams: ReleaseLedger['streams'] = new Set();
  let isClosed = false;
  let drains = 0;
  let kept: ReleaseOutcome[] = [];

  const record = (outcome: ReleaseOutcome): void => {
    kept.push(outcome);
    if (kept.length > MOST_KEPT) kept.splice(Math.max(0, kept.findIndex(isClean)), 1);
    outcomes.next(outcome);
  };

  const report = (left: readonly PendingRelease[]): DrainReport => {
    const outcomes = [...kept];
    drains -= 1;
    isDraining.next(isClosed || drains > 0);
    // Drains that overlap report the same.
    if (drains === 0) kept = [];
    return {
      clean: left.length === 0 && outcomes.every(isClean),
      ...(left.length === 0 ? {} : { pending: left }),
      outcomes,
    };
  };

  const drained = (timeoutMs: number | undefined, onTimeout: () => void): Promise<DrainReport> => {
    drains += 1;
    isDraining.next(true);
    // Not in the same turn: who drains in a complete callback has not been unsubscribed from its source yet.
    const isDone$ = pending.pipe(
      subscribeOn(asapScheduler),
      filter((count) => count === 0),
    );
    return firstValueFrom(
      merge(isDone$, timeoutMs === undefined ? NEVER : timer(timeoutMs)).pipe(
        // Before onTimeout, which may end all that is pending.
        take(1),
        map(() => {
          const left = [...underWay];
          if (left.length > 0) onTimeout();
          return report(left);
        }),
      ),
    );
  };

  const timeoutOf = ({ timeoutMs }: DrainOptions): number | undefined =>
    timeoutMs === undefined
      ? undefined
      : numberOption('timeoutMs', timeoutMs, { min: 0, max: LONGEST_TIMER_MS });

  const drain = (options: DrainOptions = {}): Promise<DrainReport> =>
    drained(timeoutOf(objectOption('options', options, { timeoutMs: 1 })), noop);

  const close = (options: CloseOptions = {}): Promise<DrainReport> => {
    const { immediately } = objectOption('options', options, { timeoutMs: 1, immediately: 1 });
    const timeoutMs = timeoutOf(options) ?? CLOSE_MS;
    isClosed = true;
    if (immediately === true) leaving.next(true);
    closing.next();
    for (const stream of streams) stream.complete();
    const report$ = drained(timeoutMs, () => isGivenUp.next(true));
    leaving.next(false);
    return report$;
  };

  return {
    outcomes$: outcomes.asObservable(),
    pending$: pending.asObservable(),
    draining$: isDraining.pipe(filter(Boolean)),
    givenUp$: isGivenUp.pipe(filter(Boolean)),
    closing$: closing.asObservable(),
    leaving$: leaving.asObservable(),
    streams,
    get isClosed() {
      return isClosed;
    },
    begin: ({ resource, id }) => {
      const what: PendingRelease = { resource, id: shownId(id) };
      underWay.add(what);
      pending.next(underWay.size);
      return () => {
        if (underWay.delete(what)) pending.next(underWay.size);
      };
    },
    record,
    drain,
    close,
    [Symbol.asyncDispose]: async () => {
      await close();
    },
  };
}
