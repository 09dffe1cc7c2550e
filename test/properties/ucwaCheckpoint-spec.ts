import { expect } from 'chai';
import fc from 'fast-check';
import { asyncScheduler, map, type Observable, Subscription, take, timer } from 'rxjs';
import { memoryCheckpoints } from '../../lib/core/checkpoint/memoryStore.ts';
import { ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import type { EventBatch } from '../../lib/ucwa/protocol/cursor.ts';
import { myContactsAndGroups } from '../../lib/ucwa/presence/contactList.ts';
import { groupPresence } from '../../lib/ucwa/presence/group.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { slowStore } from '../support/resource/slowStore.ts';
import { checkRandomRuns } from '../support/random/randomRuns.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { life, type Life, savedIn } from '../ucwa/lives.ts';

type Besides = 'a group' | 'a list that changes' | 'the contacts and groups';

/** Processes that start and are killed, and the upheavals of the server, in virtual milliseconds. */
interface Scenario {
  /** The longest life of each process but the last, and the number of batches after which it is killed. */
  readonly lives: readonly (readonly [ms: number, batches: number])[];
  readonly savingMs: number;
  readonly latencyMs: number;
  readonly ack: 'eager' | 'processed';
  /** The streams of each process besides the presence of one contact. */
  readonly besides: readonly Besides[];
  /** The times of the server's events. */
  readonly notesAt: readonly number[];
  /** The time when the server loses its state. */
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
  besides: fc.subarray<Besides>(['a group', 'a list that changes', 'the contacts and groups']),
  notesAt: fc.array(fc.nat(1000), { maxLength: 12 }),
  restartsAt: fc.array(fc.nat(1000), { maxLength: 1 }),
});

/** The time from the end of a process to the start of the next one. */
const BETWEEN_MS = 10;
const QUIET_AT = 120_000;

const SARA = 'sip:sara@contoso.com';
const BOB = 'sip:bob@contoso.com';
const NOTE = /^\/note\/(\d+)$/;

/** The notifications of one process, in order. */
interface Seen {
  /** Whether the response to the previous process's creation of an application was lost. */
  readonly isUnsure: boolean;
  /** The links of its batches, and the numbers of the notes in them. */
  readonly batches: { readonly next: string; readonly notes: readonly number[]; readonly isReset: boolean }[];
}

interface RunResult {
  readonly seen: readonly Seen[];
  readonly lives: readonly Life[];
  readonly notes: number;
  /** The subscriptions on the server before the last process ends. */
  readonly held: number;
  readonly left: number;
  readonly saved: unknown;
}

function run({ lives: spans, savingMs, latencyMs, ack, besides, notesAt, restartsAt }: Scenario): RunResult {
  const server = ucwaSimulator({ mediumSeconds: 0, latencyMs, groups: { Friends: [SARA, BOB] } });
  const memory = memoryCheckpoints();
  const store = savingMs === 0 ? memory : slowStore(memory, savingMs);
  const seen: Seen[] = [];
  const lives: Life[] = [];
  let notes = 0;
  let held = 0;

  const begin = (fatal = Infinity): Life => {
    const { application: before } = savedIn(memory) ?? {};
    const isUnsure = before !== undefined && before.self === undefined;
    const batches: Seen['batches'] = [];
    const one = life(server, store, { channel: { ack } });
    seen.push({ isUnsure, batches });
    lives.push(one);
    let processed = 0;
    const note = ({ next, gap, events }: EventBatch): void => {
      if (processed === fatal) {
        one.kill();
        return;
      }
      processed += 1;
      const numbers = events.flatMap(({ link }) => NOTE.exec(link.href)?.[1] ?? []).map(Number);
      batches.push({ next: new URL(next, server.url).href, notes: numbers, isReset: gap !== undefined });
    };
    // A killed process may get the error that another client reads its channel.
    one.ucwa.batches$.subscribe({ next: note, error: () => undefined });
    const streams: Record<Besides, () => Observable<unknown>> = {
      'a group': () => groupPresence(one.ucwa, { name: 'Friends' }),
      'a list that changes': () =>
        presence(one.ucwa, {
          uris: timer(0, 70).pipe(
            take(5),
            map((turn) => (turn % 2 === 0 ? [SARA] : [BOB])),
          ),
        }),
      'the contacts and groups': () => myContactsAndGroups(one.ucwa),
    };
    const all = [presence(one.ucwa, { uris: [SARA] }), ...besides.map((which) => streams[which]())];
    for (const each of all) each.subscribe({ error: () => undefined });
    return one;
  };

  inVirtualTime(() => {
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
          // Without an application there is no subscription.
          if (server.applications.length === 0) return;
          notes += 1;
          server.emit({ type: 'updated', link: { rel: 'note', href: `/note/${notes}` } });
        }),
      );
    }
    for (const time of restartsAt) all.add(timer(time).subscribe(() => server.restart()));
    timer(QUIET_AT).subscribe(() => {
      held = server.presenceSubscriptions.length + server.contactsAndGroupsSubscriptions.length;
      void lives.at(-1)!.ucwa.close();
    });
    expect(asyncScheduler.now()).to.equal(0);
  });
  const { applications, presenceSubscriptions, contactsAndGroupsSubscriptions } = server;
  const left = applications.length + presenceSubscriptions.length + contactsAndGroupsSubscriptions.length;
  return { seen, lives, notes, held, left, saved: savedIn(memory) };
}

/** Checks the batches of all processes, in the order in which they were processed. */
function check(
  { ack, besides, restartsAt }: Scenario,
  { seen, lives, notes, held, left, saved }: RunResult,
): void {
  let highest = 0;
  /** The next link of the last batch. */
  let last: string | undefined;
  let isInDoubt = false;
  const known = new Set<number>();
  for (const { batches, isUnsure } of seen) {
    let index = -1;
    for (const batch of batches) {
      if (batch.isReset) {
        if (ack === 'processed' && restartsAt.length === 0)
          expect(isUnsure, 'a loss where none can be').to.equal(true);
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
  }
  const outcomes = lives.flatMap((one) => one.outcomes);
  const unknown = outcomes.filter(
    ({ outcome, resource }) => outcome === 'Unknown' && resource !== 'application',
  );
  const wanted = 1 + besides.length;
  expect(held, 'besides the reported leftovers').to.be.within(wanted, wanted + unknown.length);
  expect(outcomes.filter(({ outcome }) => outcome === 'Failed')).to.deep.equal([]);
  expect(left).to.equal(0);
  expect(saved, 'after a clean end').to.equal(undefined);
}

describe('A connection with a checkpoint, whose process is killed at any time,', () => {
  it('reports every loss and leftover, and repeats only the last batch', function () {
    checkRandomRuns(this, 400, scenario, (tried) => check(tried, run(tried)));
  });
});
