import fc from 'fast-check';
import type { Fault } from '../../lib/testing/index.ts';
import type { EwsFailure } from '../../lib/testing/ews/simulator.ts';
import type {
  EwsProgram,
  EwsSettings,
  Failure,
  Leaving,
  Program,
  Step,
  Target,
  UcwaProgram,
  UcwaSettings,
  Upheaval,
  Visit,
  Way,
} from './program.ts';

/** The emphasis of a law's programs: weights, and the highest numbers of steps. */
export interface Emphasis {
  readonly visits?: number;
  readonly events?: number;
  /** How often something happens at a time. */
  readonly bursts?: readonly number[];
  readonly failures?: number;
  readonly upheavals?: number;
  readonly leaps?: number;
  readonly misleadings?: number;
  readonly drains?: number;
  readonly closings?: number;
  readonly on?: readonly Target[];
  readonly how?: readonly (Fault | EwsFailure)[];
  readonly leaving?: readonly Leaving['how'][];
  readonly sharing?: readonly Visit['sharing'][];
  readonly ways?: readonly Way[];
  readonly upheaval?: readonly Upheaval['how'][];
  readonly latencyMs?: readonly number[];
  /** How many streams there may be, on the server and of the client. */
  readonly streams?: readonly number[];
  /** With which value a visitor makes something happen. @default never */
  readonly provokes?: readonly number[];
  readonly sleepMs?: number;
  /** How much more time all takes than usual. @default 1 */
  readonly pace?: number;
}

const USUAL: Required<
  Omit<Emphasis, 'on' | 'how' | 'ways' | 'upheaval' | 'latencyMs' | 'streams' | 'sleepMs' | 'pace'>
> = {
  ...{ visits: 5, events: 6, failures: 3, upheavals: 2, leaps: 1, misleadings: 0, drains: 1, closings: 0 },
  bursts: [1],
  provokes: [0],
  leaving: [
    'unsubscribe',
    'unsubscribe',
    'take',
    'switchMap',
    'operatorThrows',
    'observerThrows',
    'stays',
    'stays',
  ],
  sharing: ['own', 'own', 'graced', 'share'],
};

const UCWA_ON: readonly Target[] = [
  'channel',
  'channel',
  'creation',
  'removal',
  'application',
  'any request',
];
const UCWA_HOW: readonly Fault[] = [
  'reset',
  'resetAfterActing',
  { status: 503 },
  { status: 429, headers: { 'retry-after': '1' } },
  { status: 500 },
  { status: 403 },
  { status: 401 },
  { delayMs: 40 },
  { delayMs: 400 },
  { arrivesAfterMs: 20 },
  { arrivalDelayMs: 20 },
  { arrivalDelayMs: 300 },
  { truncateAfterBytes: 30 },
  { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' },
];
const UCWA_UPHEAVALS: readonly Upheaval['how'][] = [
  'a subscription ends',
  'all subscriptions expire',
  'it restarts',
  'a resync',
  'a resume',
  'the channel is tuned',
];

const EWS_HOW: readonly EwsFailure[] = [
  'reset',
  'resetAfterActing',
  { status: 503 },
  { status: 502 },
  { status: 429, headers: { 'retry-after': '1' } },
  { status: 401 },
  { status: 500, headers: { 'content-type': 'text/html' }, body: '<html>' },
  { error: 'ErrorTimeoutExpired' },
  { error: 'ErrorReadEventsFailed' },
  { error: 'ErrorInvalidWatermark' },
  { error: 'ErrorMissedNotificationEvents' },
  { fault: 'ErrorServerBusy', values: { Policy: 'x', BackOffMilliseconds: '700' } },
  { delayMs: 400 },
  { delayMs: 2500 },
  { arrivesAfterMs: 150 },
  { arrivesAfterMs: 2500 },
  { truncateAfterBytes: 0 },
  { truncateAfterBytes: 300 },
  { truncateAfterBytes: 700 },
];
const EWS_UPHEAVALS: readonly Upheaval['how'][] = [
  'a subscription ends',
  'all subscriptions expire',
  'it restarts',
  'the watermarks are forgotten',
  'another token is wanted',
];
const STREAM_UPHEAVALS: readonly Upheaval['how'][] = [
  ...EWS_UPHEAVALS,
  'the streams fall silent',
  'an envelope is corrupt',
  { streamsEnd: 'closed' },
  { streamsEnd: 'end' },
  { streamsEnd: 'linger' },
  { streamsEnd: 'reset' },
  { stallMs: 700 },
  { stallMs: 6000 },
];
const POST_HOW: readonly Fault[] = [
  'reset',
  'resetAfterActing',
  { status: 503 },
  { status: 200, body: '<html>' },
  { delayMs: 2500 },
  { arrivesAfterMs: 2500 },
  { truncateAfterBytes: 10 },
];

/** The streams that the library shares with a grace time. */
const GRACED: ReadonlySet<Way> = new Set<Way>(['presence', 'pull', 'streaming', 'push']);

/** The steps of one type of stream, with their times. */
interface Scene {
  readonly spanMs: number;
  /** Times at which several things happen at once. */
  readonly together: readonly number[];
  readonly stayMs: number;
  readonly sleepMs: number;
  readonly ways: readonly Way[];
  readonly failure: fc.Arbitrary<Failure>;
  readonly upheavals: readonly Upheaval['how'][];
}

function stepsOf(scene: Scene, emphasis: Emphasis): fc.Arbitrary<Step[]> {
  const {
    visits,
    events,
    failures,
    upheavals,
    leaps,
    misleadings,
    drains,
    closings,
    leaving,
    sharing,
    bursts,
    provokes,
  } = {
    ...USUAL,
    ...emphasis,
  };
  const { spanMs, together, stayMs, sleepMs } = scene;
  const at = fc.oneof({ arbitrary: fc.nat(spanMs), weight: 2 }, fc.constantFrom(...together));
  const afterMs = fc.oneof({ arbitrary: fc.nat(stayMs), weight: 3 }, fc.constant(0));
  const leave = fc.constantFrom(...leaving).chain((how): fc.Arbitrary<Leaving> => {
    if (how === 'unsubscribe' || how === 'switchMap') return fc.record({ how: fc.constant(how), afterMs });
    if (how === 'stays') return fc.constant({ how });
    return fc.record({ how: fc.constant(how), events: fc.integer({ min: 1, max: 4 }) });
  });
  const visit = fc
    .record({
      ...{ at, what: fc.constant('visit' as const), place: fc.nat(2), leaving: leave },
      to: fc.constantFrom(...scene.ways),
      sharing: fc.constantFrom(...sharing),
      retries: fc.constantFrom(0, 0, 3),
      provokes: fc.constantFrom(...provokes),
    })
    .map((one) =>
      one.sharing === 'graced' && !GRACED.has(one.to) ? { ...one, sharing: 'own' as const } : one,
    );
  const some = <One extends Step>(one: fc.Arbitrary<One>, most: number, least = 0): fc.Arbitrary<Step[]> =>
    most === 0 ? fc.constant([]) : fc.array<Step>(one, { minLength: Math.min(least, most), maxLength: most });
  const of = <What extends Step['what']>(what: What): { at: typeof at; what: fc.Arbitrary<What> } => ({
    at,
    what: fc.constant(what),
  });
  return fc
    .tuple(
      some(visit, visits, 1),
      some(fc.record({ ...of('event'), count: fc.constantFrom(...bursts) }), events),
      some(
        fc.tuple(at, scene.failure).map(([time, failure]) => ({ at: time, ...failure })),
        failures,
      ),
      some(fc.record({ ...of('upheaval'), how: fc.constantFrom(...scene.upheavals) }), upheavals),
      some(fc.record({ ...of('leap'), ms: fc.nat(sleepMs) }), leaps),
      some(
        fc.record({ ...of('misleading'), on: fc.constantFrom<Target>('channel', 'creation', 'application') }),
        misleadings,
      ),
      some(
        fc.record({ ...of('drain'), timeoutMs: fc.nat(spanMs) }, { requiredKeys: ['at', 'what'] }),
        drains,
      ),
      some(
        fc.record({ ...of('close'), timeoutMs: fc.nat(spanMs) }, { requiredKeys: ['at', 'what'] }),
        closings,
      ),
    )
    .map((parts) => parts.flat());
}

const failureFrom = (
  on: readonly Target[],
  how: readonly (Fault | EwsFailure)[],
  most: number,
): fc.Arbitrary<Failure> =>
  fc.record({
    what: fc.constant('failure' as const),
    on: fc.constantFrom(...on),
    how: fc.constantFrom(...how),
    count: fc.integer({ min: 1, max: most }),
  });

const arrivesLate = ({ how }: Failure): boolean => typeof how === 'object' && 'arrivesAfterMs' in how;

/**
 * An application may be created after the library has retried, and removed the result of the retry. It then
 * exists until it expires, and no response names it.
 */
const isLateApplication = (one: Failure): boolean =>
  ['application', 'any request'].includes(one.on) && (arrivesLate(one) || isDelayed(one));
const isDelayed = ({ how }: Failure): boolean => typeof how === 'object' && 'arrivalDelayMs' in how;

/** Returns UCWA programs with an emphasis. */
export function ucwaPrograms(emphasis: Emphasis = {}): fc.Arbitrary<Program> {
  const { on = UCWA_ON, how = UCWA_HOW, upheaval = UCWA_UPHEAVALS, pace = 1, sleepMs = 60_000 } = emphasis;
  const scene: Scene = {
    ...{ spanMs: 120 * pace, together: [0, 50 * pace], stayMs: 90 * pace, sleepMs },
    ways: emphasis.ways ?? ['presence', 'presence', 'presence', 'states', 'events', 'batches', 'contacts'],
    failure: failureFrom(on, how, 3).filter((one) => !isLateApplication(one)),
    upheavals: upheaval,
  };
  return fc.record<UcwaProgram>({
    protocol: fc.constant('UCWA'),
    settings: fc.record<UcwaSettings>({
      latencyMs: fc.constantFrom(...(emphasis.latencyMs ?? [0, 1, 8, 30])),
      mediumSeconds: fc.constantFrom(0, 0.01, 5),
      contactHrefs: fc.constantFrom('address', 'address', 'address', 'opaque'),
      cursorParameter: fc.constantFrom('ack', 'ck'),
      ack: fc.constantFrom('eager', 'processed'),
      graceSeconds: fc.constantFrom(0, 0.02, 2),
      applicationGraceSeconds: fc.constantFrom(undefined, 0, 0.02, 60),
      maxParts: fc.constantFrom(1, 20, 20, 2),
    }),
    steps: stepsOf(scene, emphasis),
    ending: fc.constantFrom('unsubscribe', 'unsubscribe', 'close'),
  });
}

/** Returns EWS programs with an emphasis: pull, streaming, both, or push. */
export function ewsPrograms(emphasis: Emphasis = {}): fc.Arbitrary<Program> {
  const { ways = ['pull', 'streaming', 'push'] } = emphasis;
  const asked: fc.WeightedArbitrary<Program>[] = [];
  if (ways.includes('pull')) asked.push({ weight: 3, arbitrary: askedPrograms(['pull'], emphasis) });
  if (ways.includes('streaming'))
    asked.push({ weight: 3, arbitrary: askedPrograms(['streaming'], emphasis) });
  if (ways.includes('pull') && ways.includes('streaming'))
    asked.push({ weight: 1, arbitrary: askedPrograms(['pull', 'streaming'], emphasis) });
  if (ways.includes('push')) asked.push({ weight: 2, arbitrary: pushPrograms(emphasis) });
  return fc.oneof(...asked);
}

function askedPrograms(ways: readonly Way[], emphasis: Emphasis): fc.Arbitrary<Program> {
  const reading: readonly Target[] = [
    ...(ways.includes('pull') ? (['GetEvents'] as const) : []),
    ...(ways.includes('streaming') ? (['GetStreamingEvents'] as const) : []),
  ];
  const { how = EWS_HOW, pace = 1, sleepMs = 60_000 } = emphasis;
  const usual: readonly Target[] = ['Subscribe', ...reading, ...reading, 'Unsubscribe', 'any request'];
  const on = (emphasis.on ?? usual).filter((one) => usual.includes(one));
  const scene: Scene = {
    ...{ spanMs: 12_000 * pace, together: [0, 5000 * pace], stayMs: 6000 * pace, sleepMs, ways },
    failure: failureFrom(on.length === 0 ? usual : on, how, 2),
    upheavals: emphasis.upheaval ?? (ways.includes('streaming') ? STREAM_UPHEAVALS : EWS_UPHEAVALS),
  };
  return ewsProgram(scene, emphasis, false);
}

function pushPrograms(emphasis: Emphasis): fc.Arbitrary<Program> {
  const { how } = emphasis;
  const scene: Scene = {
    ...{ spanMs: 300_000, together: [0, 60_000], stayMs: 200_000, sleepMs: 120_000, ways: ['push'] },
    failure: fc.oneof(
      failureFrom(['post'], POST_HOW, 5),
      failureFrom(['Subscribe'], how ?? EWS_HOW, 1),
      failureFrom(['SendNotification'], PUSHED, 1),
    ),
    upheavals: emphasis.upheaval ?? EWS_UPHEAVALS,
  };
  // Posts depend on the server's own timers, which do not sleep with this machine.
  return ewsProgram(scene, { ...emphasis, leaps: 0 }, true);
}

const PUSHED: readonly EwsFailure[] = [
  { error: 'ErrorReadEventsFailed' },
  { error: 'ErrorServerBusy' },
  { error: 'ErrorMissedNotificationEvents' },
  { error: 'ErrorAccessDenied' },
];

function ewsProgram(scene: Scene, emphasis: Emphasis, isOfPush: boolean): fc.Arbitrary<Program> {
  return fc.record<EwsProgram>({
    protocol: fc.constant('EWS'),
    settings: fc.record<EwsSettings>({
      dialect: isOfPush ? fc.constant('exchange') : fc.constantFrom('exchange', 'exchange', 'grommunio'),
      latencyMs: fc.constantFrom(...(emphasis.latencyMs ?? [0, 0, 300, 2000])),
      chunkBytes: fc.constantFrom(100_000, 100_000, 300, 41),
      maxStreams: fc.constantFrom(...(emphasis.streams ?? [100, 2, 1])),
      maxConnections: fc.constantFrom(...(emphasis.streams ?? [3, 2, 1])),
      graceSeconds: fc.constantFrom(0, 3),
      onLost: fc.constantFrom('resume', 'resume', 'recreate'),
      pace: fc.constant(emphasis.pace ?? 1),
      isOfPush: fc.constant(isOfPush),
    }),
    steps: stepsOf(scene, emphasis),
    ending: fc.constantFrom('unsubscribe', 'unsubscribe', 'close'),
  });
}
