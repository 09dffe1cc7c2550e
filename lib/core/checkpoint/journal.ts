import * as t from 'io-ts';
import { defer, EMPTY, map, Observable, of, tap } from 'rxjs';
import type { Checkpoint } from './checkpoint.ts';
import { decode } from '../decode.ts';
import { coalesce } from '../rx/coalesce.ts';
import { invalidOption } from '../options.ts';
import type { ReleaseLedger } from '../lifecycle/ledger.ts';

/** What there is, or may be, on the server. Without an id it was asked for, and the answer is not known. */
interface JournaledResource {
  readonly resource: string;
  readonly id?: string | undefined;
  /** Where it is removed, if that is not its id. */
  readonly removedAt?: string | undefined;
}

/** What a process before has left on the server. */
export interface Orphan extends JournaledResource {
  /** It is gone, or what became of it stands in the ledger. */
  readonly over: () => void;
}

/** What the journal says of one resource. */
interface JournalNote {
  /** It is about to be asked for; completes when that is saved. */
  asked(): Observable<never>;
  /** The server has made it: see {@link Journal.saved}. */
  made(id: string, removedAt?: string): void;
  /** It is no longer being asked for: unless it was made, there is nothing to remember. */
  answered(): void;
  /** It is gone, or what became of it stands in the ledger. */
  over(): void;
}

/** The types of io-ts of which small codecs are made. */
export type CodecTypes = Pick<typeof t, 'partial' | 'string' | 'number'>;

const TYPES: CodecTypes = { partial: t.partial, string: t.string, number: t.number };

/** What is kept for the next process, besides what is held: how far it has come. All of it may be missing. */
export interface JournalKind<Place extends object> {
  /** Returns the codec. It gets the types of io-ts: a program without checkpoints need not bundle them. */
  readonly codec: (types: CodecTypes) => t.Decoder<unknown, Place>;
  /** Whether one need not be saved in place of the other. */
  readonly isSame: (one: Place, other: Place) => boolean;
}

/** What one stream or connection keeps for the next process. */
export interface Journal<Place extends object> {
  /** Whether there was anything, of this process or one before. */
  readonly isContinued: boolean;
  /** How far it has come. */
  readonly place: Place;
  /** What the process before has left on the server: once, and each to be called over when it is gone. */
  takeLeft(): readonly Orphan[];
  note(resource: string): JournalNote;
  /** Says how far it has come: see {@link Journal.saved}. */
  reached(place: Place): void;
  /** Says that the place is of no use to the next process. Where nothing is held either, nothing is kept. */
  leave(): void;
  /** Completes when what was made and reached by now is saved. */
  saved(): Observable<never>;
}

const readHeld = decode(
  t.type({
    held: t.array(
      t.intersection([t.type({ resource: t.string }), t.partial({ id: t.string, removedAt: t.string })]),
    ),
  }),
  'checkpoint',
);

interface OpenJournal<Place extends object> extends Journal<Place> {
  isInUse: boolean;
  readonly kind: JournalKind<Place>;
  readonly isDone: boolean;
  load(): Observable<Journal<Place>>;
}

const OPEN = new WeakMap<Checkpoint['store'], Map<string, OpenJournal<object>>>();

/**
 * Returns an Observable that emits the journal of a stream or a connection, and stays open while that is. It
 * errors with what hinders the store, with a `DecodeError` for what is no such journal, and with a TypeError
 * where another uses it.
 */
export function journal<Place extends object>(
  kind: JournalKind<Place>,
  { store, key }: Checkpoint,
  ledger: ReleaseLedger,
): Observable<Journal<Place>> {
  return new Observable((subscriber) => {
    const open: Map<string, unknown> = OPEN.get(store) ?? new Map<string, OpenJournal<object>>();
    OPEN.set(store, open as Map<string, OpenJournal<object>>);
    // One that is still removing something here goes on, so that what is ours is not taken for what was left.
    const known = open.get(key) as OpenJournal<Place> | undefined;
    const mine = known ?? createJournal(kind, { store, key }, ledger, () => forget());
    if (mine.isInUse || mine.kind !== kind) {
      subscriber.error(invalidOption('checkpoint.key', key, 'one that no other is using'));
      return;
    }
    const forget = (): void => {
      if (!mine.isInUse && mine.isDone) open.delete(key);
    };
    open.set(key, mine);
    mine.isInUse = true;
    subscriber.add(() => {
      mine.isInUse = false;
      forget();
    });
    subscriber.add(
      mine
        .load()
        .subscribe({ next: (it) => subscriber.next(it), error: (e: unknown) => subscriber.error(e) }),
    );
  });
}

function createJournal<Place extends object>(
  kind: JournalKind<Place>,
  { store, key }: Checkpoint,
  ledger: ReleaseLedger,
  onDone: () => void,
): OpenJournal<Place> {
  const readPlace = decode(kind.codec(TYPES), 'checkpoint');
  const nowhere = readPlace({});
  const held = new Set<JournaledResource>();
  let place = nowhere;
  let left: readonly JournaledResource[] = [];
  let isLoaded = false;
  let isContinued = false;
  let isLeft = false;
  let isUnsaved = false;
  let writing = 0;
  let writing$: Observable<never> = EMPTY;

  const save = coalesce((): Observable<never> => {
    isUnsaved = false;
    isContinued = !(isLeft && held.size === 0);
    const saved$ = isContinued
      ? store.save(key, { ...place, held: [...held].map((one) => ({ ...one })) })
      : store.remove(key);
    return saved$.pipe(tap({ error: () => (isUnsaved = true) }));
  });
  const write = (): Observable<never> => (writing$ = save());

  /** What could not be saved here is told by the next that waits for it; the server says that it is gone. */
  const writeBeside = (): void => {
    const end = ledger.begin({ resource: 'checkpoint', id: key });
    writing += 1;
    const done = (): void => {
      writing -= 1;
      end();
      onDone();
    };
    write().subscribe({ error: done, complete: done });
  };

  const drop = (what: JournaledResource | undefined): void => {
    if (what !== undefined && held.delete(what)) writeBeside();
  };

  return {
    kind,
    isInUse: false,
    get isDone() {
      return held.size === 0 && writing === 0;
    },
    get isContinued() {
      return isContinued;
    },
    get place() {
      return place;
    },
    load() {
      if (isLoaded) return of(this);
      return store.load(key).pipe(
        tap((value) => {
          isLoaded = true;
          if (value === undefined) return;
          left = readHeld(value).held;
          place = readPlace(value);
          isContinued = true;
          for (const one of left) held.add(one);
        }),
        map(() => this),
      );
    },
    takeLeft: () => {
      const taken = left.map((one) => ({ ...one, over: () => drop(one) }));
      left = [];
      return taken;
    },
    note: (resource) => {
      let mine: JournaledResource | undefined;
      return {
        asked: () =>
          defer(() => {
            isLeft = false;
            mine = { resource };
            held.add(mine);
            return write();
          }),
        made: (id, removedAt) => {
          if (mine !== undefined) held.delete(mine);
          mine = { resource, id, removedAt };
          held.add(mine);
          isUnsaved = true;
        },
        answered: () => {
          if (mine?.id === undefined) drop(mine);
        },
        over: () => drop(mine),
      };
    },
    reached: (reached) => {
      if (kind.isSame(place, reached)) return;
      place = reached;
      isLeft = false;
      isUnsaved = true;
    },
    leave: () => {
      place = nowhere;
      isLeft = true;
    },
    saved: () => (isUnsaved ? write() : writing$),
  };
}
