import { expect } from 'chai';
import fc from 'fast-check';
import { asyncScheduler, Subscription, timer } from 'rxjs';
import { memoryCheckpoints } from '../../lib/core/memoryCheckpoints.ts';
import { ucwaSimulator } from '../../lib/testing/ucwaSimulator.ts';
import type { EventBatch } from '../../lib/ucwa/cursor.ts';
import { presence } from '../../lib/ucwa/presence.ts';
import { slow } from '../support/checkpoints.ts';
import { tryCourses } from '../support/courses.ts';
import { marbles } from '../support/marbles.ts';
import { life, type Life, savedIn } from './lives.ts';

/** How processes come and are killed, in virtual milliseconds, and what happens on the server. */
interface Scenario {
  /** How long each lives at most, but the last, and how many batches it processes: the next one kills it. */
  readonly lives: readonly (readonly [ms: number, batches: number])[];
  readonly savingMs: number;
  readonly latencyMs: number;
  readonly ack: 'eager' | 'processed';
  /** When the server has an event. */
  readonly notesAt: readonly number[];
  /** When the server has forgotten everything. */
  readonly restartsAt: readonly number[];
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  lives: fc.array(fc.tuple(fc.nat(300), fc.constantFrom(0, 1, 3, Infinity, Infinity)), {
    minLength: 1,
    maxLength: 5,
  }),
  savingMs: fc.constantFrom(0, 0, 3, 20),
  latencyMs: fc.constantFrom(0, 1, 8, 30),
  ack: fc.constantFrom('processed', 'processed', 'processed', 'eager'),
  notesAt: fc.array(fc.nat(1000), { maxLength: 12 }),
  restartsAt: fc.array(fc.nat(1000), { maxLength: 1 }),
});

/** How long it takes until the next process is there. */
const BETWEEN_MS = 10;
const QUIET_AT = 120_000;

const NOTE = /^\/note\/(\d+)$/;

/** What one process was given, in its order: the links of its batches, and the numbers of the notes in them. */
type Seen = { readonly next: string; readonly notes: readonly number[]; readonly isReset: boolean }[];

interface Course {
  readonly seen: readonly Seen[];
  readonly lives: readonly Life[];
  readonly notes: number;
  /** Presence subscriptions that are on the server before the last process leaves. */
  readonly held: number;
  readonly left: number;
  readonly saved: unknown;
}

function run({ lives: spans, savingMs, latencyMs, ack, notesAt, restartsAt }: Scenario): Course {
  const server = ucwaSimulator({ mediumSeconds: 0, latencyMs });
  const memory = memoryCheckpoints();
  const store = savingMs === 0 ? memory : slow(memory, savingMs);
  const seen: Seen[] = [];
  const lives: Life[] = [];
  let notes = 0;
  let held = 0;

  const begin = (fatal = Infinity): Life => {
    const mine: Seen = [];
    const one = life(server, store, { channel: { ack } });
    seen.push(mine);
    lives.push(one);
    let processed = 0;
    const note = ({ next, reset, events }: EventBatch): void => {
      if (processed === fatal) {
        one.kill();
        return;
      }
      processed += 1;
      const numbers = events.flatMap(({ link }) => NOTE.exec(link.href)?.[1] ?? []).map(Number);
      mine.push({ next: new URL(next, server.url).href, notes: numbers, isReset: reset !== undefined });
    };
    // Who is killed may be told that another reads its channel.
    one.ucwa.batches$.subscribe({ next: note, error: () => undefined });
    presence(one.ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe({ error: () => undefined });
    return one;
  };

  marbles(() => {
    const all = new Subscription();
    let at = 0;
    for (const [ms, batches] of spans) {
      timer(at).subscribe(() => {
        const dying = begin(batches);
        timer(ms).subscribe(() => dying.kill());
      });
      at += ms + BETWEEN_MS;
    }
    timer(at).subscribe(() => begin());
    for (const time of notesAt) {
      all.add(
        timer(time).subscribe(() => {
          // Without an application there is nobody to have it.
          if (server.applications.length === 0) return;
          notes += 1;
          server.emit({ type: 'updated', link: { rel: 'note', href: `/note/${notes}` } });
        }),
      );
    }
    for (const time of restartsAt) all.add(timer(time).subscribe(() => server.restart()));
    timer(QUIET_AT).subscribe(() => {
      held = server.presenceSubscriptions.length;
      void lives.at(-1)!.ucwa.close();
    });
    expect(asyncScheduler.now()).to.equal(0);
  });
  const left = server.applications.length + server.presenceSubscriptions.length;
  return { seen, lives, notes, held, left, saved: savedIn(memory) };
}

/** All batches of all processes, in the order in which they were processed. */
function check({ ack, restartsAt }: Scenario, { seen, lives, notes, held, left, saved }: Course): void {
  let highest = 0;
  /** Where the last batch led that came. */
  let last: string | undefined;
  let isInDoubt = false;
  const known = new Set<number>();
  for (const mine of seen) {
    let index = -1;
    for (const batch of mine) {
      if (batch.isReset) {
        isInDoubt = true;
        continue;
      }
      index += 1;
      const again = batch.notes.filter((number) => known.has(number));
      if (again.length > 0) {
        expect(index, 'only the first batch of a process').to.equal(0);
        expect(batch.next, 'recognisable').to.equal(last);
        expect(again, 'as a whole').to.deep.equal(batch.notes);
      }
      for (const number of batch.notes) {
        if (known.has(number)) continue;
        known.add(number);
        expect(number, 'in order').to.be.above(highest);
        if (number !== highest + 1) expect(isInDoubt, `lost before ${number}`).to.equal(true);
        highest = number;
        isInDoubt = false;
      }
      last = batch.next;
    }
  }
  if (highest !== notes) expect(isInDoubt, 'lost at the end').to.equal(true);
  if (ack === 'processed' && restartsAt.length === 0) {
    expect([...known], 'at least once').to.have.length(notes);
    expect(seen.flat().some(({ isReset }) => isReset)).to.equal(false);
  }
  const outcomes = lives.flatMap((one) => one.outcomes);
  const unknown = outcomes.filter(
    ({ outcome, resource }) => outcome === 'Unknown' && resource !== 'application',
  );
  expect(held, 'besides those that were told of').to.be.within(1, 1 + unknown.length);
  expect(outcomes.filter(({ outcome }) => outcome === 'Failed')).to.deep.equal([]);
  expect(left).to.equal(0);
  expect(saved, 'after a clean end').to.equal(undefined);
}

describe('The laws of a connection with a checkpoint, over processes that are killed at any time', () => {
  it('should lose nothing without telling, give no batch but the last again, and leave nothing behind', function () {
    tryCourses(this, 400, scenario, (tried) => check(tried, run(tried)));
  });
});
