import fc from 'fast-check';
import { defer, type Observable, throwError, timer } from 'rxjs';
import type { CheckpointStore, Json } from '../../lib/core/checkpoint/checkpoint.ts';
import { checkpointed } from '../../lib/ews/subscription/checkpointed.ts';
import { memoryCheckpoints } from '../../lib/core/checkpoint/memoryStore.ts';
import type { ReleaseOutcome } from '../../lib/core/lifecycle/releaseOutcome.ts';
import type { Transport } from '../../lib/core/transport/transport.ts';
import type { EwsEvent } from '../../lib/ews/protocol/events.ts';
import type { PushRequest } from '../../lib/ews/push/pushRequest.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { pushNotifications } from '../../lib/ews/push/push.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { type Exchange } from '../../lib/ews/session/session.ts';
import { streamingNotifications } from '../../lib/ews/streaming/streaming.ts';
import { type EwsFailure, type EwsOperation, ewsSimulator } from '../../lib/testing/ews/simulator.ts';
import { pushCallback } from '../../lib/testing/ews/push.ts';
import { slowStore } from '../support/resource/slowStore.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { killableProcess } from '../support/processes/killableProcess.ts';
import { CALLBACK_URL } from '../ews/push/pushing.ts';

/** Processes with a checkpoint that start and are killed, and the upheavals of the server, in virtual ms. */
export interface Scenario {
  readonly way: 'pull' | 'streaming' | 'push';
  readonly dialect: 'exchange' | 'grommunio';
  /** The longest life of each process but the last, and the number of events after which it is killed. */
  readonly lives: readonly (readonly [ms: number, events: number])[];
  readonly savingMs: number;
  readonly latencyMs: number;
  readonly chunkBytes: number;
  /** When mail comes, and how much. */
  readonly mails: readonly (readonly [atMs: number, count: number])[];
  readonly upheavals: readonly (readonly [atMs: number, how: 'restart' | 'expire' | 'forgetHistory'])[];
  readonly failures: readonly (readonly [atMs: number, count: number, how: EwsFailure, on: EwsOperation])[];
}

const SPAN_MS = 30_000;
const at = fc.nat(SPAN_MS);

/** Grommunio sends no push notifications, so a push subscription on it has no events. */
export const scenario: fc.Arbitrary<Scenario> = fc
  .record({
    way: fc.constantFrom<Scenario['way']>('pull', 'streaming', 'push'),
    dialect: fc.constantFrom<Scenario['dialect']>('exchange', 'exchange', 'grommunio'),
    lives: fc.array(
      fc.tuple(fc.oneof(fc.nat(9000), fc.nat(700)), fc.constantFrom(0, 1, 5, 50, Infinity, Infinity)),
      {
        minLength: 1,
        maxLength: 5,
      },
    ),
    savingMs: fc.constantFrom(0, 0, 20, 700),
    latencyMs: fc.constantFrom(0, 8, 300),
    chunkBytes: fc.constantFrom(100_000, 300),
    mails: fc.array(fc.tuple(at, fc.constantFrom(1, 1, 3, 60)), { maxLength: 8 }),
    upheavals: fc.array(fc.tuple(at, fc.constantFrom('restart', 'expire', 'forgetHistory')), {
      maxLength: 1,
    }),
    failures: fc.array(
      fc.tuple(
        at,
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom<EwsFailure>(
          'reset',
          'resetAfterActing',
          { arrivesAfterMs: 2500 },
          { status: 503 },
          { delayMs: 2500 },
        ),
        fc.constantFrom<EwsOperation>(
          'Subscribe',
          'GetEvents',
          'GetStreamingEvents',
          'SendNotification',
          'Unsubscribe',
          'Unsubscribe',
        ),
      ),
      { maxLength: 2 },
    ),
  })
  .map((scene) => (scene.way === 'push' ? { ...scene, dialect: 'exchange' } : scene));

const KEY = 'mail';
/** The time from the end of a process to the start of the next one. */
const BETWEEN_MS = 100;
/** The time in which the last process releases its subscriptions: a push ends with its next post. */
const CLOSE_MS = 600_000;
const USUAL_TIMES = { lastMailAt: 100_000, quietAt: 130_000, settledAt: 200_000 };
const TIMES = {
  pull: USUAL_TIMES,
  streaming: USUAL_TIMES,
  // Silence reveals the loss of a push subscription, and its removal waits for the next post.
  push: { lastMailAt: 400_000, quietAt: 430_000, settledAt: 700_000 },
};

/** The notifications of one process, in order. */
interface Seen {
  /** The checkpoint that was saved when the process started. */
  readonly from: string | undefined;
  /** The number of an event and its watermark, a watermark alone, or a gap. */
  readonly recorded: (
    { readonly number: number | undefined; readonly watermark: string | undefined } | 'gap'
  )[];
}

export interface RunResult {
  readonly seen: readonly Seen[];
  readonly outcomes: readonly ReleaseOutcome[];
  /** The number of events when a watermark was saved for the first time. */
  readonly savedFrom: number;
  readonly events: number;
  /** The subscriptions on the server before the last process ends, and after it. */
  readonly held: readonly string[];
  readonly left: number;
  /** The ids of all saved checkpoints. */
  readonly known: ReadonlySet<string>;
  readonly saved: Json | undefined;
}

function savedIn(store: CheckpointStore): Json | undefined {
  let saved: Json | undefined;
  store.load(KEY).subscribe((value) => (saved = value));
  return saved;
}

function idsOf(saved: Json | undefined): readonly string[] {
  const { held = [] } = (saved ?? {}) as { readonly held?: readonly { readonly id?: string }[] };
  return held.flatMap(({ id }) => id ?? []);
}

function watermarkOf(saved: Json | undefined): string | undefined {
  return (saved as { readonly watermark?: string } | undefined)?.watermark;
}

/** Returns a store that reports each save. */
function reportingSaves(store: CheckpointStore, saving: (value: Json) => void): CheckpointStore {
  return {
    ...store,
    save: (key, value) =>
      defer(() => {
        saving(value);
        return store.save(key, value);
      }),
  };
}

function watching(
  exchange: Exchange,
  { way }: Scenario,
  folder: string,
  store: CheckpointStore,
  posts$: Observable<PushRequest>,
): Observable<EwsEvent> {
  const watched = { folders: [{ id: folder }], events: ['modified'] } as const;
  const checkpoint = checkpointed(store, KEY);
  if (way === 'pull') return pullNotifications(exchange, { ...watched, checkpoint, pollIntervalSeconds: 2 });
  if (way === 'streaming') return streamingNotifications(exchange, { ...watched, checkpoint });
  const callback = { callbackUrl: CALLBACK_URL, statusFrequencyMinutes: 1 };
  return pushNotifications(exchange, { ...watched, ...callback, checkpoint }, posts$);
}

/** Runs the processes of a scenario, and returns its results. */
export function run(scene: Scenario): RunResult {
  const { dialect, lives, savingMs, latencyMs, chunkBytes, mails, upheavals, failures } = scene;
  const { lastMailAt, quietAt, settledAt } = TIMES[scene.way];
  /** The listener of the process that is alive. */
  let listener: Transport = () => throwError(() => new Error('nobody listens'));
  const server = ewsSimulator({ dialect, latencyMs, chunkBytes, push: (post) => listener(post) });
  const folder = server.createFolder();
  const memory = memoryCheckpoints();
  const seen: Seen[] = [];
  const outcomes: ReleaseOutcome[] = [];
  let events = 0;
  let savedFrom = Infinity;
  const known = new Set<string>();
  let held: readonly string[] = [];
  let left = 0;
  const noting = reportingSaves(memory, (value) => {
    if (watermarkOf(value) !== undefined) savedFrom = Math.min(savedFrom, events);
    for (const id of idsOf(value)) known.add(id);
  });
  const store = savingMs === 0 ? noting : slowStore(noting, savingMs);

  const begin = (fatal = Infinity): { readonly kill: () => void; readonly close: () => void } => {
    const recorded: Seen['recorded'] = [];
    seen.push({ from: watermarkOf(savedIn(memory)), recorded });
    const process = killableProcess(server.transport, store);
    const exchange = connectExchange({
      server: server.url,
      transport: process.transport,
      retry: { initialMs: 200, maxMs: 1000, retries: 20, random: () => 0.5 },
    });
    process.untilKilled(() => exchange.releases.outcomes$).subscribe((outcome) => outcomes.push(outcome));
    const close = (): void => void exchange.close({ timeoutMs: CLOSE_MS });
    const kill = (): void => {
      process.kill();
      // Nothing is sent to the server, but the timers of the process end.
      close();
    };
    let processed = 0;
    const { transport: callback, incoming$ } = pushCallback();
    listener = (post) => process.untilKilled(() => callback(post));
    watching(exchange, scene, folder, process.store, incoming$).subscribe((event) => {
      if (event.type === 'gap') recorded.push('gap');
      else if (event.type !== 'modified') recorded.push({ number: undefined, watermark: event.watermark });
      else if (processed === fatal) kill();
      else {
        processed += 1;
        // The subscriptions are never read, and many have to be possible.
        recorded.push({ number: event.unreadCount, watermark: event.watermark });
      }
    });
    return { close, kill };
  };

  inVirtualTime(() => {
    let time = 0;
    for (const [ms, processed] of lives) {
      timer(time).subscribe(() => {
        const dying = begin(processed);
        timer(ms).subscribe(() => dying.kill());
      });
      time += ms + BETWEEN_MS;
    }
    timer(time).subscribe(() => {
      const last = begin();
      timer(quietAt - time).subscribe(() => {
        held = server.subscriptions.map(({ id }) => id);
        last.close();
      });
    });
    const deliver = (count: number): void => {
      for (let more = count; more > 0; more -= 1) {
        events += 1;
        server.deliverMail(folder);
      }
    };
    for (const [ms, count] of mails) timer(ms).subscribe(() => deliver(count));
    timer(lastMailAt).subscribe(() => deliver(1));
    for (const [ms, how] of upheavals) timer(ms).subscribe(() => server[how]());
    for (const [ms, count, how, on] of failures) timer(ms).subscribe(() => server.failNext(count, how, on));
    // In virtual time: on the real clock all subscriptions have expired.
    timer(settledAt).subscribe(() => (left = server.subscriptions.length));
  });
  return { seen, outcomes, savedFrom, events, held, left, known, saved: savedIn(memory) };
}
