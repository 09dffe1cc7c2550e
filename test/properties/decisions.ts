import fc from 'fast-check';
import { decideRetry } from '../../lib/core/backoff/withRetry.ts';
import { decideRelease } from '../../lib/core/lifecycle/release.ts';
import { HttpError, NetworkError } from '../../lib/index.ts';
import type { Trial } from './law.ts';
import { play } from './play.ts';
import type { EwsSettings, Failure, Program, UcwaSettings, Visit } from './program.ts';
import { describeProgram } from './describeProgram.ts';

/** One failure in two programs that differ in everything else. */
export interface Comparison {
  readonly plain: Program;
  readonly other: Program;
}

const body = (code: string, subcode?: string): string => JSON.stringify({ code, subcode });
const JSON_TYPE = { 'content-type': 'application/json' };

const UCWA_ANSWERS = [
  { status: 400 },
  { status: 403, headers: JSON_TYPE, body: body('Forbidden', 'LimitExceeded') },
  { status: 403, headers: JSON_TYPE, body: body('Forbidden') },
  { status: 404 },
  { status: 409, headers: JSON_TYPE, body: body('Conflict', 'PGetReplaced') },
  { status: 410, headers: JSON_TYPE, body: body('Gone', 'TooManyApplications') },
  { status: 410 },
  { status: 418 },
  { status: 429 },
  { status: 500 },
  { status: 503 },
];
const EWS_ANSWERS: readonly Failure['how'][] = [
  { error: 'ErrorAccessDenied' },
  { error: 'ErrorExceededSubscriptionCount' },
  { error: 'ErrorFolderNotFound' },
  { error: 'ErrorSubscriptionNotFound' },
  { error: 'ErrorInvalidWatermark' },
  { error: 'ErrorTimeoutExpired' },
  { error: 'ErrorNobodyKnows' },
  { fault: 'ErrorServerBusy', values: { BackOffMilliseconds: '100' } },
  { fault: 'ErrorInvalidServerVersion' },
  { status: 403 },
  { status: 404 },
  { status: 503 },
];

const PLAIN_UCWA: UcwaSettings = {
  ...{
    latencyMs: 0,
    mediumSeconds: 0,
    contactHrefs: 'address',
    cursorParameter: 'ack',
    ack: 'eager',
    graceSeconds: 0,
    applicationGraceSeconds: undefined,
    maxParts: 1,
  },
};
const PLAIN_EWS: EwsSettings = {
  ...{ dialect: 'exchange', latencyMs: 0, chunkBytes: 100_000, maxStreams: 100, maxConnections: 3 },
  ...{ graceSeconds: 0, onLost: 'resume', pace: 1, isOfPush: false },
};

function visitTo(to: Visit['to'], afterMs: number): Visit {
  return {
    what: 'visit',
    to,
    place: 0,
    sharing: 'own',
    retries: 0,
    provokes: 0,
    leaving: { how: 'unsubscribe', afterMs },
  };
}

/** One UCWA subscriber with a failure, on two networks. */
export const ucwaComparisons: fc.Arbitrary<Comparison> = fc
  .tuple(
    fc.constantFrom<Failure['on']>('channel', 'creation', 'removal', 'application'),
    fc.constantFrom(...UCWA_ANSWERS),
    fc.constantFrom(1, 3, 100),
    fc.record<UcwaSettings>({
      latencyMs: fc.nat(30),
      mediumSeconds: fc.constantFrom(0, 0.01, 5),
      contactHrefs: fc.constantFrom('address', 'opaque'),
      cursorParameter: fc.constantFrom('ack', 'ck'),
      ack: fc.constantFrom('eager', 'processed'),
      graceSeconds: fc.constantFrom(0, 0.02),
      applicationGraceSeconds: fc.constantFrom(undefined, 0, 0.02),
      maxParts: fc.constantFrom(1, 2, 20),
    }),
  )
  .map(([on, how, count, settings]) => {
    const of = (given: UcwaSettings): Program => ({
      protocol: 'UCWA',
      settings: given,
      ending: 'unsubscribe',
      steps: [
        { at: 0, what: 'failure', on, how, count },
        { at: 0, ...visitTo('presence', 20_000) },
        // Failures end before this time.
        { at: 30_000, what: 'event', count: 1 },
      ],
    });
    return { plain: of(PLAIN_UCWA), other: of(settings) };
  });

/** One EWS subscriber with a failure, on two networks. */
export const ewsComparisons: fc.Arbitrary<Comparison> = fc
  .tuple(
    fc.constantFrom<readonly [Visit['to'], Failure['on']]>(
      ['pull', 'Subscribe'],
      ['pull', 'GetEvents'],
      ['pull', 'Unsubscribe'],
      ['streaming', 'Subscribe'],
      ['streaming', 'GetStreamingEvents'],
      ['streaming', 'Unsubscribe'],
    ),
    fc.constantFrom(...EWS_ANSWERS),
    fc.constantFrom(1, 3, 100),
    fc.record({
      latencyMs: fc.constantFrom(0, 7, 300),
      chunkBytes: fc.constantFrom(41, 300, 100_000),
      maxConnections: fc.constantFrom(1, 2, 3),
    }),
  )
  .map(([[to, on], how, count, settings]) => {
    const of = (given: EwsSettings): Program => ({
      protocol: 'EWS',
      settings: given,
      ending: 'unsubscribe',
      steps: [
        { at: 0, what: 'failure', on, how, count },
        { at: 0, ...visitTo(to, 20_000) },
        // Failures end before this time.
        { at: 30_000, what: 'event', count: 1 },
      ],
    });
    return { plain: of(PLAIN_EWS), other: of({ ...PLAIN_EWS, ...settings }) };
  });

const REMOVALS: ReadonlySet<string> = new Set(['removal', 'Unsubscribe']);

/** Checks that the same failure has the same outcome, whatever the other settings are. */
export async function sameOutcome({ plain, other }: Comparison): Promise<Trial> {
  const one = await play(plain);
  const two = await play(other);
  // The simulated response contradicts the state of the server, so leftovers do not count here.
  const breaches = [...one.breaches, ...two.breaches].filter((breach) =>
    /^(uncaught|law (4|9|10)\b)/.test(breach),
  );
  const isOfRemoval = plain.steps.some((step) => step.what === 'failure' && REMOVALS.has(step.on));
  const fates = [one, two].map(({ fates: [fate = ''], outcomes: [outcome = ''] }) =>
    isOfRemoval ? `${fate}, and ${outcome}` : fate,
  );
  if (fates[0] !== fates[1])
    breaches.push(`law 8: the same failure came to "${fates[0]}" and to "${fates[1]}"`);
  return { breaches, figures: { ...two.figures, leaks: 0 } };
}

/** Describes both programs in words. */
export function describeComparison({ plain, other }: Comparison): string {
  return `${describeProgram(plain)}\n\nand the same with other settings:\n\n${describeProgram(other)}`;
}

/** The outcome of a request, and the policy that applies to it. */
export interface Failing {
  readonly status: number | undefined;
  readonly attempt: number;
  readonly isIdempotent: boolean;
  readonly retries: number;
}

/** Requests with all types of outcomes. */
export const failings: fc.Arbitrary<Failing> = fc.record({
  status: fc.option(fc.integer({ min: 200, max: 599 }), { nil: undefined }),
  attempt: fc.integer({ min: 1, max: 8 }),
  isIdempotent: fc.boolean(),
  retries: fc.nat(6),
});

/** Checks that the decisions of the core depend only on their arguments. */
export function corePurity({ status, attempt, isIdempotent, retries }: Failing): Promise<Trial> {
  const request = { method: 'DELETE', url: 'https://server.example/' };
  const error =
    status === undefined ? new NetworkError('no answer', request) : new HttpError(status, request);
  const result = status === undefined ? { error } : { status };
  const policy = { retries, random: () => 0.5 };
  const decided = (): unknown[] => [decideRelease(error), decideRetry(policy, attempt, isIdempotent, result)];
  const [release, retry] = [decideRelease(error), decideRetry(policy, attempt, isIdempotent, result)];
  const breaches: string[] = [];
  if (JSON.stringify(decided()) !== JSON.stringify(decided()))
    breaches.push('law 8: decided otherwise the second time');
  if ((status === 404 || status === 410) !== (release === 'alreadyGone'))
    breaches.push(`law 8: a release that is answered ${status} is ${release}`);
  if (retry.retry && attempt > retries) breaches.push('law 8: sent again more often than the policy says');
  if (retry.retry && !isIdempotent && status !== 429 && status !== 503)
    breaches.push(`law 8: sent again after ${status ?? 'no answer'}, though the server may have acted`);
  return Promise.resolve({ breaches });
}

/** Describes the decision in words. */
export function describeFailing({ status, attempt, isIdempotent, retries }: Failing): string {
  const what = status === undefined ? 'no answer' : `status ${status}`;
  return `attempt ${attempt} of at most ${retries + 1} came to ${what}; ${isIdempotent ? '' : 'not '}idempotent`;
}
