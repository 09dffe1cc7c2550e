import { isDeepStrictEqual } from 'node:util';
import { NEVER, timer } from 'rxjs';
import fc from 'fast-check';
import { type Fault, ucwaSimulator } from '../../lib/testing/index.ts';
import type { SimulatedPresence } from '../../lib/testing/ucwa/contacts.ts';
import { connectUcwa, contactPresence, type ContactPresence } from '../../lib/ucwa/index.ts';
import { NO_FIGURES, type Trial } from './law.ts';
import { inVirtualTime } from './virtualTime.ts';
import { bearer } from '../../lib/core/auth/auth.ts';

/** A program on contacts whose states are observed, in virtual milliseconds. */
export interface ContactProgram {
  readonly latencyMs: number;
  readonly contactHrefs: 'address' | 'opaque';
  readonly contactEvents: 'linkOnly' | 'embedded';
  readonly steps: readonly ContactStep[];
}

/** One step of such a program. */
export type ContactStep = { readonly at: number } & (
  | { readonly what: 'change'; readonly uri: string; readonly presence: SimulatedPresence }
  | { readonly what: 'failure'; readonly count: number; readonly how: Fault }
  | {
      readonly what: 'upheaval';
      readonly how: 'resync' | 'resume' | 'expire' | 'endApplications' | 'restart';
    }
);

const URIS = ['sip:sara@contoso.com', 'sip:bob@contoso.com', 'sip:Al@contoso.com'] as const;
const QUIET_MS = 600_000;

const at = fc.nat(500);
const change = fc.record({
  ...{ at, what: fc.constant('change' as const), uri: fc.constantFrom(...URIS) },
  presence: fc.oneof<fc.Arbitrary<SimulatedPresence>[]>(
    fc.record({ availability: fc.constantFrom('Online', 'Busy', 'Away', 'Juggling') }),
    fc.record({ note: fc.constantFrom('', 'Lunch', 'Back soon') }),
    fc.record({ location: fc.constantFrom('Home', 'Office') }),
    fc.record({ activity: fc.constantFrom('in-a-meeting', 'on-the-phone', 'presenting') }),
  ),
});
const failure = fc.record({
  ...{ at, what: fc.constant('failure' as const), count: fc.integer({ min: 1, max: 3 }) },
  how: fc.constantFrom<Fault>(
    ...([
      'reset',
      { status: 503 },
      { status: 500 },
      { delayMs: 30 },
      { delayMs: 150 },
      { delayMs: 300 },
    ] as const),
    { truncateAfterBytes: 30 },
  ),
});
const upheaval = fc.record({
  ...{ at, what: fc.constant('upheaval' as const) },
  how: fc.constantFrom(
    'resync' as const,
    'resume' as const,
    'expire' as const,
    'endApplications' as const,
    'restart' as const,
  ),
});

/** Programs on the states of contacts. */
export const contactPrograms: fc.Arbitrary<ContactProgram> = fc.record({
  latencyMs: fc.constantFrom(0, 1, 5, 15),
  contactHrefs: fc.constantFrom('address', 'opaque'),
  contactEvents: fc.constantFrom('linkOnly', 'embedded'),
  steps: fc
    .tuple(
      fc.array<ContactStep>(change, { maxLength: 12 }),
      fc.array<ContactStep>(failure, { maxLength: 4 }),
      fc.array<ContactStep>(upheaval, { maxLength: 2 }),
    )
    .map((parts) => parts.flat()),
});

const FIELDS = ['availability', 'activity', 'note', 'location'] as const;

/** Returns the state of a contact as one word. */
const inWords = (state: Partial<Record<(typeof FIELDS)[number], string | undefined>>): string =>
  FIELDS.map((field) => state[field] ?? '').join(' / ');

/** Checks that the emitted states end with the server's own, without duplicates and older states. */
export function playContacts(program: ContactProgram): Promise<Trial> {
  const { latencyMs, contactHrefs, contactEvents, steps } = program;
  const server = ucwaSimulator({ mediumSeconds: 0, latencyMs, contactHrefs, contactEvents });
  const ucwa = connectUcwa({
    ...{ server: server.url, auth: bearer('token'), transport: server.transport, endpointId: 'e' },
    ...{ retry: { random: () => 0.5 }, online$: NEVER },
  });
  const truth = new Map<string, SimulatedPresence>(URIS.map((uri) => [uri, { availability: 'Offline' }]));
  /** Every state that each contact ever had, in order. */
  const history = new Map<string, string[]>(URIS.map((uri) => [uri, [inWords(truth.get(uri) as object)]]));
  const board = new Map<string, ContactPresence>();
  const breaches: string[] = [];
  let events = 0;

  const play = (step: ContactStep): void => {
    if (step.what === 'failure') {
      const isOfContacts = ({ method, url }: { method: string; url: string }): boolean =>
        method === 'GET' && url.includes('/people/') && !url.includes('?');
      server.failNext(step.count, step.how, isOfContacts);
    } else if (step.what === 'upheaval') {
      if (step.how === 'resync' || step.how === 'resume') server.reset(step.how);
      else server[step.how]();
    } else {
      const now = { ...truth.get(step.uri), ...step.presence };
      truth.set(step.uri, now);
      history.get(step.uri)?.push(inWords(now));
      server.setPresence(step.uri, step.presence);
    }
  };

  inVirtualTime((time) => {
    const watching = contactPresence(ucwa, URIS).subscribe((state) => {
      events += 1;
      if (isDeepStrictEqual(board.get(state.uri), state))
        breaches.push(`law 7: the state of ${state.uri} was emitted twice`);
      board.set(state.uri, state);
    });
    for (const step of steps) timer(step.at).subscribe(() => play(step));
    time.at(QUIET_MS, () => watching.unsubscribe());
  });

  for (const [uri, expected] of truth) {
    const { failure: failed, ...state } = board.get(uri) ?? { failure: undefined };
    const recorded = inWords(state);
    if (failed !== undefined) breaches.push(`law 7: of ${uri} a failure stays`);
    if (recorded !== inWords(expected))
      breaches.push(`law 7: ${uri} is emitted as ${recorded}, and is ${inWords(expected)}`);
  }
  const left = [...server.presenceSubscriptions, ...server.applications];
  if (left.length > 0) breaches.push(`leak, law 1: ${left.length} left on the server`);
  return Promise.resolve({
    breaches,
    figures: {
      ...NO_FIGURES,
      events,
      leaks: left.length,
      faults: steps.filter(({ what }) => what !== 'change').length,
    },
  });
}

/** Describes such a program in words. */
export function describeContacts({ latencyMs, contactHrefs, contactEvents, steps }: ContactProgram): string {
  const lines = [...steps]
    .sort((one, other) => one.at - other.at)
    .map((step) => {
      if (step.what === 'change')
        return `at ${step.at} ms: ${step.uri} is ${JSON.stringify(step.presence)} now`;
      if (step.what === 'failure')
        return `at ${step.at} ms: the next ${step.count} requests for a contact fail: ${JSON.stringify(step.how)}`;
      return `at ${step.at} ms: on the server ${step.how}`;
    });
  return [
    `UCWA, with latencyMs ${latencyMs}, ${contactHrefs} hrefs and ${contactEvents} events`,
    ...lines,
  ].join('\n');
}
