import { expect } from 'chai';
import { EMPTY, NEVER, type Observable, of, Subject, throwError } from 'rxjs';
import type { CheckpointStore, Json } from '../../../lib/core/checkpoint/checkpoint.ts';
import { type Journal, journal, type JournalFormat } from '../../../lib/core/checkpoint/journal.ts';
import { journaled, removeOrphan } from '../../../lib/core/checkpoint/checkpointing.ts';
import { memoryCheckpoints } from '../../../lib/core/checkpoint/memoryStore.ts';
import { number, partial } from '../../../lib/core/codec.ts';
import { releaseLedger } from '../../../lib/core/lifecycle/ledger.ts';
import { type ReleaseOutcome } from '../../../lib/core/lifecycle/releaseOutcome.ts';

interface Place {
  readonly page?: number | undefined;
}

const KIND: JournalFormat<Place> = {
  codec: partial({ page: number }),
  isSame: (one, other) => one.page === other.page,
};
const KEY = 'book';

function opened(store: CheckpointStore): Journal<Place> {
  let found: Journal<Place> | undefined;
  journal(KIND, { store, key: KEY }, releaseLedger()).subscribe((it) => (found = it));
  return found!;
}

function savedIn(store: CheckpointStore): Json | undefined {
  let saved: Json | undefined;
  store.load(KEY).subscribe((value) => (saved = value));
  return saved;
}

/** How an Observable has ended, by now. */
function endOf(source: Observable<never>): () => unknown {
  let end: unknown = 'not yet';
  source.subscribe({ complete: () => (end = 'complete'), error: (error: unknown) => (end = error) });
  return () => end;
}

describe('The journal', () => {
  it('saves each position once', () => {
    const store = memoryCheckpoints();
    let saves = 0;
    const mine = opened({
      ...store,
      save: (key, value) => {
        saves += 1;
        return store.save(key, value);
      },
    });
    for (const page of [1, 1, 2]) {
      mine.advance({ page });
      expect(endOf(mine.saved())()).to.equal('complete');
    }
    expect(saves).to.equal(2);
    expect(savedIn(store)).to.deep.equal({ page: 2, held: [] });
  });

  it('waits for a save that another caller has started', () => {
    const saving = new Subject<never>();
    const mine = opened({ ...memoryCheckpoints(), save: () => saving });
    mine.advance({ page: 1 });
    const one = endOf(mine.saved());
    const other = endOf(mine.saved());
    expect([one(), other()]).to.deep.equal(['not yet', 'not yet']);
    saving.complete();
    expect([one(), other()]).to.deep.equal(['complete', 'complete']);
  });

  it('saves what could not be saved when the next waits for it', () => {
    const store = memoryCheckpoints();
    const full = new Error('full');
    let isFull = true;
    const mine = opened({
      ...store,
      save: (key, value) => (isFull ? throwError(() => full) : store.save(key, value)),
    });
    mine.advance({ page: 1 });
    expect(endOf(mine.saved())()).to.equal(full);
    expect(endOf(mine.saved())(), 'again').to.equal(full);
    isFull = false;
    expect(endOf(mine.saved())()).to.equal('complete');
    expect(savedIn(store)).to.deep.equal({ page: 1, held: [] });
  });

  it('removes its key when it ends with no entries', () => {
    const store = memoryCheckpoints();
    const mine = opened(store);
    const entry = mine.entry('page');
    entry.intend().subscribe();
    entry.commit('7');
    mine.advance({ page: 7 });
    mine.saved().subscribe();
    mine.close();
    expect(savedIn(store)).to.deep.equal({ page: 7, held: [{ resource: 'page', id: '7' }] });
    entry.clear();
    expect(savedIn(store)).to.equal(undefined);
    expect(mine.isResumed).to.equal(false);
  });

  it('errors for a different type under the same key', () => {
    const checkpoint = { store: memoryCheckpoints(), key: KEY };
    const ledger = releaseLedger();
    const before = journal(KIND, checkpoint, ledger).subscribe((mine) =>
      mine.entry('page').intend().subscribe(),
    );
    before.unsubscribe();
    let refusal: unknown;
    journal({ ...KIND }, checkpoint, ledger).subscribe({ error: (error: unknown) => (refusal = error) });
    expect(refusal).to.be.instanceOf(TypeError).and.have.property('message').that.includes('checkpoint.key');
  });
});

describe('A journaled resource', () => {
  it('has an entry for each subscriber, even during the release of another', () => {
    const store = memoryCheckpoints();
    const mine = opened(store);
    const ledger = releaseLedger();
    const removing = new Subject<never>();
    let made = 0;
    const pages$ = journaled(
      {
        resource: 'page',
        ledger,
        parent$: of(undefined),
        acquire: () => of(String((made += 1))),
        identify: (id) => id,
        use: () => NEVER,
        release: (id) => (id === '1' ? removing : EMPTY),
        unknownHint: 'It is there.',
      },
      () => mine,
    );
    const first = pages$.subscribe();
    first.unsubscribe();
    pages$.subscribe();
    removing.complete();
    expect(savedIn(store)).to.deep.equal({ held: [{ resource: 'page', id: '2' }] });
  });
});

describe('A resource that is journaled nowhere', () => {
  it('is as it would be without', () => {
    const ledger = releaseLedger();
    const outcomes: ReleaseOutcome[] = [];
    ledger.outcomes$.subscribe((outcome) => outcomes.push(outcome));
    const pages$ = journaled(
      {
        resource: 'page',
        ledger,
        parent$: of(undefined),
        acquire: () => of('1'),
        identify: (id) => id,
        use: (id) => of(id),
        release: () => EMPTY,
        unknownHint: 'It is there.',
      },
      () => undefined,
    );
    const seen: string[] = [];
    pages$.subscribe((id) => seen.push(id));
    expect(seen).to.deep.equal(['1']);
    expect(outcomes.map(({ outcome, id }) => `${outcome} ${id}`)).to.deep.equal(['Released 1']);
  });
});

describe('The sweep', () => {
  it('removes an orphan, and clears it after its outcome', () => {
    const ledger = releaseLedger();
    const seen: string[] = [];
    ledger.outcomes$.subscribe(({ outcome, id }) => seen.push(`${outcome} ${id}`));
    const left = { resource: 'page', id: '7', clear: () => seen.push('clear') };
    removeOrphan(ledger, left, { url: 'https://books.example', unknownHint: '' }, (id) => ({
      attempt: () => {
        seen.push(`remove ${id}`);
        return EMPTY;
      },
      decide: () => 'fail',
      expiresAt: undefined,
      backoff: undefined,
      done: () => seen.push('done'),
    }));
    expect(seen).to.deep.equal(['remove 7', 'Released 7', 'done', 'clear']);
  });

  it('records Unknown for an orphan without an id, and sends nothing', () => {
    const ledger = releaseLedger();
    const outcomes: ReleaseOutcome[] = [];
    ledger.outcomes$.subscribe((outcome) => outcomes.push(outcome));
    let isOver = false;
    const left = { resource: 'page', clear: () => (isOver = true) };
    removeOrphan(ledger, left, { url: 'https://books.example', unknownHint: 'It ends by itself.' }, () => {
      throw new Error('nothing to plan');
    });
    expect(outcomes).to.have.length(1);
    expect(outcomes[0]).to.include({ outcome: 'Unknown', id: undefined, hint: 'It ends by itself.' });
    expect(isOver).to.equal(true);
  });
});
