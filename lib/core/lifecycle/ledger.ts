import {
  asapScheduler,
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
import { objectOption, type OptionRules } from '../options.ts';
import { sharedValues, type SharedValues } from '../sharedValues.ts';
import { type ReleaseOutcome, shownId, isClean } from './releaseOutcome.ts';

/** A resource whose removal has started, or whose creation has no response yet. @inline */
export interface PendingRelease {
  /** As in {@link ReleaseOutcome}. */
  readonly resource: string;
  /** As in {@link ReleaseOutcome}; undefined if its creation has no response yet. */
  readonly id: string | undefined;
}

/** Options of a drain. @inline */
export interface DrainOptions {
  /**
   * The longest time to wait, in milliseconds. After it, `drain` leaves pending releases running, and `close`
   * gives them up.
   * @default none for `drain`, whose releases are retried until they expire on the server; 10,000 for `close`
   */
  readonly timeoutMs?: number;
}

/** The result of a drain. */
export interface DrainReport {
  /** Whether nothing is pending, and no outcome in `outcomes` is `Unknown` or `Failed`. */
  readonly clean: boolean;
  /** The releases that were pending when the time was up; missing if there were none. */
  readonly pending?: readonly PendingRelease[];
  /**
   * All outcomes that no earlier drain has reported, in order. Of more than 1,000, the oldest are dropped,
   * except `Unknown` and `Failed`.
   *
   * Overlapping drains report the same outcomes. `close` adds each release that it gave up as `Failed`, and
   * each creation as `Unknown`.
   */
  readonly outcomes: readonly ReleaseOutcome[];
}

/**
 * The ledger of a connection: all outcomes, and all pending releases.
 *
 * Unsubscribing is synchronous in RxJS and reports nothing, so the ledger reports the fate of a subscription
 * on the server.
 */
export interface Releases extends AsyncDisposable {
  /** Emits each outcome when it is known. Never errors or completes. */
  readonly outcomes$: Observable<ReleaseOutcome>;
  /**
   * Emits the number of pending releases: on subscription, and on every change. Never errors or completes.
   */
  readonly pending$: Observable<number>;
  /**
   * Resolves when nothing is pending, or when the time is up.
   *
   * Until then all grace periods end immediately, including those that start meanwhile. Active streams
   * continue. Never rejects; throws a TypeError for an invalid time.
   */
  drain(options?: DrainOptions): Promise<DrainReport>;
  /**
   * Completes all streams of the connection, which releases their resources, and drains for at most 10
   * seconds or `timeoutMs`. Then it gives up: it aborts the requests of pending releases and sends no more.
   * Never rejects.
   */
  close(options?: DrainOptions): Promise<DrainReport>;
}

/**
 * Observes the streams and the releases of a connection.
 *
 * @internal
 */
export interface Inspection {
  /** Returns the Observable to which a new subscriber of a stream subscribes instead. */
  readonly stream: <Value>(source: Observable<Value>, name: string, options: unknown) => Observable<Value>;
  /** The number of the stream that subscribes to its source: what begins meanwhile belongs to it. */
  readonly subscribing: number | undefined;
  /** Called with the id or href of a subscription that the server has created for the stream of a number. */
  readonly created: (stream: number | undefined, id: string) => void;
  /** Called when a release begins, or an unsubscribed creation has no response yet. */
  readonly begun: (pending: PendingRelease) => void;
}

/** The writable side of a ledger. */
export interface ReleaseLedger extends Releases {
  /** Whether {@link Releases.close} was called. */
  readonly isClosed: boolean;
  /** Emits once, when the connection is closed. */
  readonly closing$: Observable<void>;
  /** Emits when releases have started that are to be sent in this turn of the event loop. */
  readonly flushed$: Observable<void>;
  /** The subscribers to complete when the connection is closed, and their names; there may be thousands. */
  readonly streams: Map<Pick<Subscriber<never>, 'add' | 'complete'>, string>;
  /**
   * Set while the connection is inspected.
   *
   * @internal
   */
  inspection?: Inspection | undefined;
  /**
   * The values of other functions for this ledger.
   *
   * @internal
   */
  readonly shared: SharedValues;
  /**
   * Emits when a drain or the closing begins, and on subscription while one is running: grace periods end.
   */
  readonly draining$: Observable<unknown>;
  /** Emits when `close` gives up, and on subscription after that: nothing may be sent or retried. */
  readonly givenUp$: Observable<unknown>;
  /** Ends grace periods, and sends the releases that have started. */
  flush(): void;
  /** Records a pending release, which a drain waits for until the returned function is called. */
  begin(pending: PendingRelease): () => void;
  /** Records an outcome. */
  record(outcome: ReleaseOutcome): void;
}

const MOST_OUTCOMES = 1000;
/** How long `close` waits by default: as long as most process managers wait before they kill. */
const CLOSE_MS = 10_000;

const DRAIN_RULES: OptionRules<DrainOptions> = { timeoutMs: { min: 0, max: LONGEST_TIMER_MS } };

/**
 * Creates a ledger for {@link remoteResource}. A connection creates its own.
 *
 * @example
 * ```ts
 * import { releaseLedger } from 'rxchange';
 *
 * console.log(await releaseLedger().drain());
 * // prints: { clean: true, outcomes: [] }
 * ```
 */
export function releaseLedger(): ReleaseLedger {
  const outcomes = new Subject<ReleaseOutcome>();
  const pending = new BehaviorSubject(0);
  const running = new Set<PendingRelease>();
  const isDraining = new BehaviorSubject(false);
  const isGivenUp = new BehaviorSubject(false);
  const closing = new Subject<void>();
  const flushed = new Subject<void>();
  const streams: ReleaseLedger['streams'] = new Map();
  let isClosed = false;
  let drains = 0;
  let unreported: ReleaseOutcome[] = [];

  const record = (outcome: ReleaseOutcome): void => {
    unreported.push(outcome);
    if (unreported.length > MOST_OUTCOMES) unreported.splice(Math.max(0, unreported.findIndex(isClean)), 1);
    outcomes.next(outcome);
  };

  const report = (left: readonly PendingRelease[]): DrainReport => {
    const outcomes = [...unreported];
    drains -= 1;
    isDraining.next(isClosed || drains > 0);
    // Overlapping drains report the same.
    if (drains === 0) unreported = [];
    return {
      clean: left.length === 0 && outcomes.every(isClean),
      ...(left.length === 0 ? {} : { pending: left }),
      outcomes,
    };
  };

  const drained = (timeoutMs: number | undefined, onTimeout: () => void): Promise<DrainReport> => {
    drains += 1;
    isDraining.next(true);
    // Asynchronously: during a complete callback, the subscriber is still subscribed to its source.
    const isDone$ = pending.pipe(
      subscribeOn(asapScheduler),
      filter((count) => count === 0),
    );
    return firstValueFrom(
      merge(isDone$, timeoutMs === undefined ? NEVER : timer(timeoutMs)).pipe(
        // Before onTimeout, which may end everything that is pending.
        take(1),
        map(() => {
          const left = [...running];
          if (left.length > 0) onTimeout();
          return report(left);
        }),
      ),
    );
  };

  const drain = (options: DrainOptions = {}): Promise<DrainReport> =>
    drained(objectOption('options', options, DRAIN_RULES).timeoutMs, noop);

  const flush = (): void => {
    isDraining.next(true);
    isDraining.next(isClosed || drains > 0);
    flushed.next();
  };

  const close = (options: DrainOptions = {}): Promise<DrainReport> => {
    const { timeoutMs = CLOSE_MS } = objectOption('options', options, DRAIN_RULES);
    isClosed = true;
    closing.next();
    for (const stream of streams.keys()) stream.complete();
    const report$ = drained(timeoutMs, () => isGivenUp.next(true));
    flushed.next();
    return report$;
  };

  const ledger: ReleaseLedger = {
    outcomes$: outcomes.asObservable(),
    pending$: pending.asObservable(),
    draining$: isDraining.pipe(filter(Boolean)),
    givenUp$: isGivenUp.pipe(filter(Boolean)),
    closing$: closing.asObservable(),
    flushed$: flushed.asObservable(),
    streams,
    shared: sharedValues(),
    get isClosed() {
      return isClosed;
    },
    begin: ({ resource, id }) => {
      const release: PendingRelease = { resource, id: shownId(id) };
      running.add(release);
      pending.next(running.size);
      ledger.inspection?.begun(release);
      return () => {
        if (running.delete(release)) pending.next(running.size);
      };
    },
    flush,
    record,
    drain,
    close,
    [Symbol.asyncDispose]: async () => {
      await close();
    },
  };
  return ledger;
}
