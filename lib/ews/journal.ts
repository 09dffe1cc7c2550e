import * as t from 'io-ts';
import { defer, EMPTY, map, Observable, of, tap } from 'rxjs';
import type { Json } from '../core/checkpoint.ts';
import { decode } from '../core/decode.ts';
import { oneAtATime } from '../core/oneAtATime.ts';
import { invalidOption } from '../core/options.ts';
import type { ReleaseLedger } from '../core/releases.ts';
import type { Checkpoint } from './checkpoint.ts';

/** What a stream has, or may have, on the server. Without an id it was asked for, and the answer is not known. */
export interface Held {
  readonly resource: string;
  readonly id?: string | undefined;
}

/** What the journal says of one subscription. */
export interface JournalNote {
  /** It is about to be asked for; completes when that is saved. */
  asked(): Observable<never>;
  /** The server has made it. It is saved with what is {@link Journal.reached} next. */
  made(id: string): void;
  /** It is no longer being asked for: unless it was made, there is nothing to remember. */
  answered(): void;
  /** It is gone, or what became of it stands in the ledger. */
  over(): void;
}

/** What one stream keeps for the next process. */
export interface Journal {
  /** Whether there was anything, of this process or one before. */
  readonly isContinued: boolean;
  readonly watermark: string | undefined;
  readonly since: Date | undefined;
  /** What the process before has left on the server: once, and each to be called over when it is gone. */
  takeLeft(): readonly (Held & Pick<JournalNote, 'over'>)[];
  note(resource: string): JournalNote;
  /** How far the stream has come; completes when that is saved. */
  reached(watermark: string | undefined, since: Date | undefined): Observable<never>;
}

const savedCodec = t.intersection([
  t.type({ held: t.array(t.intersection([t.type({ resource: t.string }), t.partial({ id: t.string })])) }),
  t.partial({ watermark: t.string, since: t.number }),
]);
const readSaved = decode(savedCodec, 'checkpoint');

interface OpenJournal extends Journal {
  isInUse: boolean;
  readonly isDone: boolean;
  load(): Observable<Journal>;
}

const OPEN = new WeakMap<Checkpoint['store'], Map<string, OpenJournal>>();

/**
 * Returns an Observable that emits the journal of a stream, and stays open while the stream is. It errors with
 * what hinders the store, with a `DecodeError` for what is no such journal, and with a TypeError where
 * another stream uses it.
 */
export function journal({ store, key }: Checkpoint, ledger: ReleaseLedger): Observable<Journal> {
  return new Observable((subscriber) => {
    const open = OPEN.get(store) ?? new Map<string, OpenJournal>();
    OPEN.set(store, open);
    // One that is still removing something here goes on, so that what is ours is not taken for what was left.
    const mine = open.get(key) ?? createJournal({ store, key }, ledger, () => forget());
    if (mine.isInUse) {
      subscriber.error(invalidOption('checkpoint.key', key, 'one that no other stream is using'));
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

function createJournal({ store, key }: Checkpoint, ledger: ReleaseLedger, onDone: () => void): OpenJournal {
  const held = new Set<Held>();
  let left: readonly Held[] = [];
  let isLoaded = false;
  let isContinued = false;
  let isUnsaved = false;
  let writing = 0;
  let watermark: string | undefined;
  let since: Date | undefined;

  const saved = (): Json => ({
    watermark,
    since: since?.getTime(),
    held: [...held].map(({ resource, id }) => ({ resource, id })),
  });

  const write = oneAtATime(() => {
    isUnsaved = false;
    isContinued = true;
    return store.save(key, saved());
  });

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

  const drop = (what: Held | undefined): void => {
    if (what !== undefined && held.delete(what)) writeBeside();
  };

  return {
    isInUse: false,
    get isDone() {
      return held.size === 0 && writing === 0;
    },
    get isContinued() {
      return isContinued;
    },
    get watermark() {
      return watermark;
    },
    get since() {
      return since;
    },
    load() {
      if (isLoaded) return of(this);
      return store.load(key).pipe(
        tap((value) => {
          isLoaded = true;
          if (value === undefined) return;
          const found = readSaved(value);
          isContinued = true;
          watermark = found.watermark;
          since = found.since === undefined ? undefined : new Date(found.since);
          left = found.held;
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
      let mine: Held | undefined;
      return {
        asked: () =>
          defer(() => {
            mine = { resource };
            held.add(mine);
            return write();
          }),
        made: (id) => {
          if (mine !== undefined) held.delete(mine);
          mine = { resource, id };
          held.add(mine);
          isUnsaved = true;
        },
        answered: () => {
          if (mine?.id === undefined) drop(mine);
        },
        over: () => drop(mine),
      };
    },
    reached: (newWatermark, newSince) => {
      const isFurther =
        newWatermark === undefined ? newSince?.getTime() !== since?.getTime() : newWatermark !== watermark;
      if (isFurther) {
        watermark = newWatermark;
        since = newSince;
      }
      return isFurther || isUnsaved ? write() : EMPTY;
    },
  };
}
