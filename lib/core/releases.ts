import {
  asyncScheduler,
  BehaviorSubject,
  filter,
  firstValueFrom,
  map,
  merge,
  NEVER,
  type Observable,
  Subject,
  type Subscriber,
  timer,
} from 'rxjs';
import { LONGEST_TIMER_MS } from './backoff.ts';
import { numberOption, objectOption } from './options.ts';
import { excerpt } from './text.ts';

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
   * How long to wait at most, in milliseconds. What is under way then goes on all the same.
   * @default until nothing is pending
   */
  readonly timeoutMs?: number;
}

/** What a drain found. */
export interface DrainReport {
  /** Whether no outcome in `outcomes` is `Unknown` or `Failed`, and nothing is pending. */
  readonly clean: boolean;
  /** What was still being removed when the time was up; only there where it was. */
  readonly pending?: readonly PendingRelease[];
  /**
   * Every outcome since the drain before, in order; of more than 1,000 those `Unknown` and `Failed` first of
   * all, and the newest.
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
   * Resolves when nothing is pending, or the time is up. It starts the release of what is only kept for a grace
   * time; what is still subscribed to is left alone. Never rejects; it throws a TypeError for a time that is
   * none.
   */
  drain(options?: DrainOptions): Promise<DrainReport>;
  /** Completes every stream of this connection, which releases what it holds, then drains. Never rejects. */
  close(options?: DrainOptions): Promise<DrainReport>;
}

/** The ledger's other face, for those who write in it. */
export interface ReleaseLedger extends Releases {
  /** Whether {@link Releases.close} was called. */
  readonly isClosed: boolean;
  /** Emits once, when the connection is closed. */
  readonly closing$: Observable<void>;
  /** The same for streams, of which there may be thousands: they complete then. */
  readonly streams: Set<Pick<Subscriber<never>, 'complete'>>;
  /** Emits when what is kept for a grace time has to go now. */
  readonly flush$: Observable<void>;
  /** Notes that something is on its way that a drain waits for, until the returned function is called. */
  begin(what: PendingRelease): () => void;
  /** Writes an outcome down. */
  record(outcome: ReleaseOutcome): void;
}

const MOST_KEPT = 1000;
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
  const flush = new Subject<void>();
  const closing = new Subject<void>();
  const streams: ReleaseLedger['streams'] = new Set();
  let isClosed = false;
  let kept: ReleaseOutcome[] = [];

  const record = (outcome: ReleaseOutcome): void => {
    kept.push(outcome);
    if (kept.length > MOST_KEPT) kept.splice(Math.max(0, kept.findIndex(isClean)), 1);
    outcomes.next(outcome);
  };

  const drained = async (timeoutMs: number | undefined): Promise<DrainReport> => {
    flush.next();
    const done$ = pending.pipe(filter((count) => count === 0));
    const found = await firstValueFrom(
      merge(done$, timeoutMs === undefined ? NEVER : timer(timeoutMs)).pipe(
        map(() => ({ outcomes: kept, left: [...underWay] })),
      ),
    );
    const { outcomes: told, left } = found;
    // Whoever drains at the same time is told the same: only then it is forgotten.
    if (kept === told) kept = [];
    return {
      clean: left.length === 0 && told.every(isClean),
      ...(left.length === 0 ? {} : { pending: left }),
      outcomes: told,
    };
  };

  const timeoutOf = (options: DrainOptions = {}): number | undefined => {
    const { timeoutMs } = objectOption('options', options, { timeoutMs: 1 });
    return timeoutMs === undefined
      ? undefined
      : numberOption('timeoutMs', timeoutMs, { min: 0, max: LONGEST_TIMER_MS });
  };

  const drain = (options?: DrainOptions): Promise<DrainReport> => drained(timeoutOf(options));

  const close = (options?: DrainOptions): Promise<DrainReport> => {
    const timeoutMs = timeoutOf(options);
    isClosed = true;
    closing.next();
    for (const stream of streams) stream.complete();
    return drained(timeoutMs);
  };

  return {
    outcomes$: outcomes.asObservable(),
    pending$: pending.asObservable(),
    flush$: flush.asObservable(),
    closing$: closing.asObservable(),
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
