import type { Decoder } from 'io-ts';
import { defer, EMPTY, map, Observable, of, tap } from 'rxjs';
import type { Checkpoint } from './checkpoint.ts';
import { array, intersection, partial, string, type } from '../codec.ts';
import { decode } from '../decode.ts';
import { coalesce } from '../rx/coalesce.ts';
import { invalidOption } from '../options.ts';
import type { ReleaseLedger } from '../lifecycle/ledger.ts';

/**
 * A resource that is, or may be, on the server. It has no id if the response to its creation is not known.
 */
interface JournaledResource {
  readonly resource: string;
  readonly id?: string | undefined;
  /** The URL that removes it. @default its id */
  readonly removedAt?: string | undefined;
  /** Identifies the request that created it: the next process may use the resource for the same request. */
  readonly request?: string | undefined;
}

/** A resource that an earlier process has left on the server. */
export interface Orphan extends JournaledResource {
  /** Forgets the resource: it is gone, or the ledger has its outcome. */
  readonly clear: () => void;
}

/** The record of one resource. */
interface JournalEntry {
  /** Saves that the resource is about to be created; completes when that is saved. */
  intend(): Observable<never>;
  /** Records that the server has created the resource: see {@link Journal.saved}. */
  commit(id: string, removedAt?: string, request?: string): void;
  /** Forgets the resource unless the server has created it. */
  abort(): void;
  /** Forgets the resource: it is gone, or the ledger has its outcome. */
  clear(): void;
}

/** How a position is read and compared. All members of a position may be missing. */
export interface JournalFormat<Position extends object> {
  readonly codec: Decoder<unknown, Position>;
  /** Whether one position need not be saved in place of the other. */
  readonly isSame: (one: Position, other: Position) => boolean;
}

/** The saved state of one stream or connection, for the next process. */
export interface Journal<Position extends object> {
  /** Whether a checkpoint was saved, by this process or an earlier one. */
  readonly isResumed: boolean;
  readonly position: Position;
  /** Returns the resources that the earlier process has left on the server; empty from the second call on. */
  takeOrphans(): readonly Orphan[];
  entry(resource: string): JournalEntry;
  /** Moves the position: see {@link Journal.saved}. */
  advance(position: Position): void;
  /** Drops the position. If no resource is recorded either, nothing stays in the store. */
  close(): void;
  /** Completes when everything that was committed and advanced is saved. */
  saved(): Observable<never>;
}

const readRecorded = decode(
  type({
    held: array(
      intersection([type({ resource: string }), partial({ id: string, removedAt: string, request: string })]),
    ),
  }),
  'checkpoint',
);

interface OpenJournal<Position extends object> extends Journal<Position> {
  isInUse: boolean;
  readonly format: JournalFormat<Position>;
  readonly isDone: boolean;
  load(): Observable<Journal<Position>>;
}

const OPEN = new WeakMap<Checkpoint['store'], Map<string, OpenJournal<object>>>();

/**
 * Returns an Observable that emits the journal of a stream or connection. It stays open while that is open.
 *
 * It errors with the error of the store, with a `DecodeError` if the checkpoint is not a journal of this
 * format, and with a TypeError if another stream or connection uses the key.
 */
export function journal<Position extends object>(
  format: JournalFormat<Position>,
  { store, key }: Checkpoint,
  ledger: ReleaseLedger,
): Observable<Journal<Position>> {
  return new Observable((subscriber) => {
    const journals: Map<string, unknown> = OPEN.get(store) ?? new Map<string, OpenJournal<object>>();
    OPEN.set(store, journals as Map<string, OpenJournal<object>>);
    // A journal that still releases a resource is used again, so that the resource does not look like an
    // orphan.
    const open = journals.get(key) as OpenJournal<Position> | undefined;
    const current = open ?? createJournal(format, { store, key }, ledger, () => forget());
    if (current.isInUse || current.format !== format) {
      subscriber.error(invalidOption('checkpoint.key', key, 'one that no other is using'));
      return;
    }
    const forget = (): void => {
      if (!current.isInUse && current.isDone) journals.delete(key);
    };
    journals.set(key, current);
    current.isInUse = true;
    subscriber.add(() => {
      current.isInUse = false;
      forget();
    });
    subscriber.add(
      current
        .load()
        .subscribe({ next: (it) => subscriber.next(it), error: (e: unknown) => subscriber.error(e) }),
    );
  });
}

function createJournal<Position extends object>(
  format: JournalFormat<Position>,
  { store, key }: Checkpoint,
  ledger: ReleaseLedger,
  onDone: () => void,
): OpenJournal<Position> {
  const readPosition = decode(format.codec, 'checkpoint');
  const start = readPosition({});
  const recorded = new Set<JournaledResource>();
  let position = start;
  let orphans: readonly JournaledResource[] = [];
  let isLoaded = false;
  let isResumed = false;
  let isClosed = false;
  let isUnsaved = false;
  let writes = 0;
  let latestWrite$: Observable<never> = EMPTY;

  const save = coalesce((): Observable<never> => {
    isUnsaved = false;
    isResumed = !(isClosed && recorded.size === 0);
    const saved$ = isResumed
      ? store.save(key, { ...position, held: [...recorded].map((one) => ({ ...one })) })
      : store.remove(key);
    return saved$.pipe(tap({ error: () => (isUnsaved = true) }));
  });
  const write = (): Observable<never> => (latestWrite$ = save());

  /**
   * Writes without a subscriber. If it fails, the next write does, too; the server knows that the resource is
   * gone.
   */
  const writeInBackground = (): void => {
    const end = ledger.begin({ resource: 'checkpoint', id: key });
    writes += 1;
    const done = (): void => {
      writes -= 1;
      end();
      onDone();
    };
    write().subscribe({ error: done, complete: done });
  };

  const forget = (resource: JournaledResource | undefined): void => {
    if (resource !== undefined && recorded.delete(resource)) writeInBackground();
  };

  return {
    format,
    isInUse: false,
    get isDone() {
      return recorded.size === 0 && writes === 0;
    },
    get isResumed() {
      return isResumed;
    },
    get position() {
      return position;
    },
    load() {
      if (isLoaded) return of(this);
      return store.load(key).pipe(
        tap((value) => {
          isLoaded = true;
          if (value === undefined) return;
          orphans = readRecorded(value).held;
          position = readPosition(value);
          isResumed = true;
          for (const orphan of orphans) recorded.add(orphan);
        }),
        map(() => this),
      );
    },
    takeOrphans: () => {
      const taken = orphans.map((one) => ({ ...one, clear: () => forget(one) }));
      orphans = [];
      return taken;
    },
    entry: (resource) => {
      let entry: JournaledResource | undefined;
      return {
        intend: () =>
          defer(() => {
            isClosed = false;
            entry = { resource };
            recorded.add(entry);
            return write();
          }),
        commit: (id, removedAt, request) => {
          if (entry !== undefined) recorded.delete(entry);
          entry = { resource, id, removedAt, request };
          recorded.add(entry);
          isUnsaved = true;
        },
        abort: () => {
          if (entry?.id === undefined) forget(entry);
        },
        clear: () => forget(entry),
      };
    },
    advance: (next) => {
      if (format.isSame(position, next)) return;
      position = next;
      isClosed = false;
      isUnsaved = true;
    },
    close: () => {
      position = start;
      isClosed = true;
    },
    saved: () => (isUnsaved ? write() : latestWrite$),
  };
}
