import {
  describeComparison,
  corePurity,
  ewsComparisons,
  failings,
  describeFailing,
  sameOutcome,
  ucwaComparisons,
} from './decisions.ts';
import { contactPrograms, describeContacts, playContacts } from './contactStates.ts';
import { ewsOutages, describeEwsOutage, playEwsOutage } from './ewsOutages.ts';
import { law, type Law, type Trial } from './law.ts';
import { damagedDocuments, readDamagedXml, describeXmlDamage } from './membersOfEws.ts';
import { damagedMessages, describeDamage, readDamaged } from './membersOfUcwa.ts';
import { outagePrograms, describeOutage, playOutages } from './outages.ts';
import { play } from './play.ts';
import type { Program } from './program.ts';
import { type Emphasis, ewsPrograms, ucwaPrograms } from './programs.ts';
import { playEwsSilence, playUcwaSilence, silencePrograms, describeSilence } from './silences.ts';
import { describeProgram } from './describeProgram.ts';
import { ELSEWHERE } from './wire.ts';

type Run = (program: Program) => Promise<Trial>;

const ofUcwa = (number: number, sentence: string, emphasis: Emphasis, run: Run = play): Law =>
  law(number, `UCWA: ${sentence}`, ucwaPrograms(emphasis), run, describeProgram);
const ofEws = (number: number, sentence: string, emphasis: Emphasis, run: Run = play): Law =>
  law(number, `EWS: ${sentence}`, ewsPrograms(emphasis), run, describeProgram);

/** Many unsubscribes during a creation. */
const HASTY: Emphasis = {
  ...{ visits: 6, events: 2, failures: 3, upheavals: 1, leaps: 0 },
  leaving: ['unsubscribe', 'unsubscribe', 'unsubscribe', 'switchMap', 'take'],
};
/** Many failures of removals, and long sleeps. */
const STUBBORN: Emphasis = {
  ...{ visits: 4, events: 2, failures: 4, upheavals: 1, sleepMs: 2_400_000 },
  leaving: ['unsubscribe', 'unsubscribe', 'take', 'stays'],
};
/** Many throws, drains and closes. */
const RUDE: Emphasis = {
  ...{ drains: 3, closings: 1 },
  leaving: [
    'observerThrows',
    'observerThrows',
    'operatorThrows',
    'unsubscribe',
    'switchMap',
    'take',
    'stays',
  ],
};
/** Much sharing, and few failures. */
const SHARED: Emphasis = {
  ...{ visits: 8, events: 3, failures: 0, upheavals: 0, leaps: 0, drains: 0 },
  sharing: ['graced', 'graced', 'share', 'own'],
  leaving: ['unsubscribe', 'unsubscribe', 'unsubscribe', 'take', 'stays'],
};
/** Many events and many failures, and subscribers that cause further events. */
const BUSY: Emphasis = {
  ...{ visits: 3, events: 14, failures: 4, upheavals: 2, bursts: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 51] },
  ...{ leaving: ['stays', 'stays', 'unsubscribe'], provokes: [0, 1, 2, 3] },
};

/** Many late events, while visitors subscribe and requests that replace others are lost. */
const SLOW: Emphasis = {
  ...{ visits: 6, events: 14, failures: 2, upheavals: 6, leaps: 0, latencyMs: [0, 0, 300] },
  ...{ ways: ['streaming'], on: ['GetStreamingEvents'], streams: [3, 2], bursts: [1, 2, 3] },
  upheaval: [
    { stallMs: 700 },
    { stallMs: 3000 },
    { stallMs: 3000 },
    'an envelope is corrupt',
    'an envelope is corrupt',
  ],
  how: ['resetAfterActing', { truncateAfterBytes: 0 }, { truncateAfterBytes: 700 }, { delayMs: 400 }],
  leaving: ['stays', 'stays', 'unsubscribe'],
};

const redirects = [301, 302, 303, 307, 308].map((status) => ({
  status,
  headers: { location: `${ELSEWHERE}/here` },
}));
const challenge = { status: 401, headers: { 'www-authenticate': `Bearer realm="${ELSEWHERE}"` } };
const LED_ASTRAY: Emphasis = {
  ...{ visits: 4, events: 4, misleadings: 3, failures: 3, upheavals: 1 },
  how: [...redirects, ...redirects, challenge, { status: 403 }, 'reset'],
};

/** Many unsubscribes and new subscribes, while requests arrive late. */
const LATE: Emphasis = {
  ...{ visits: 6, events: 8, failures: 6, leaps: 0 },
  leaving: ['switchMap', 'switchMap', 'unsubscribe', 'take', 'stays'],
};

/** Checks that the same program always has the same result, down to the last request. */
async function twice(program: Program): Promise<Trial> {
  const one = await play(program);
  const other = await play(program);
  const breaches = [...one.breaches];
  const differs = one.trace.findIndex((line, index) => other.trace[index] !== line);
  if (differs >= 0 || one.trace.length !== other.trace.length) {
    breaches.push(`law 10: the second time "${other.trace[differs]}" in place of "${one.trace[differs]}"`);
  }
  return { ...one, breaches };
}

/** The laws, in their order. */
export const LAWS: readonly Law[] = [
  ofUcwa(1, 'each created resource is removed once, however its stream ends', {}),
  ofEws(1, 'each created resource is removed once, however its stream ends', {}),
  ofUcwa(2, 'unsubscribing mid-acquire does not leak', {
    ...HASTY,
    ...{ on: ['creation', 'creation', 'application', 'any request'], latencyMs: [1, 8, 30] },
  }),
  ofEws(2, 'unsubscribing mid-acquire does not leak', {
    ...HASTY,
    on: ['Subscribe'],
    latencyMs: [300, 2000],
  }),
  ofUcwa(3, 'a release is retried until it succeeds or the resource expires', {
    ...STUBBORN,
    on: ['removal', 'removal', 'application'],
  }),
  ofEws(3, 'a release is retried until it succeeds or the resource expires', {
    ...STUBBORN,
    ...{ on: ['Unsubscribe'], ways: ['pull', 'streaming'] },
  }),
  ofUcwa(4, 'unsubscribe() never throws, and drain() and close() report all outcomes', RUDE),
  ofEws(4, 'unsubscribe() never throws, and drain() and close() report all outcomes', RUDE),
  ofUcwa(5, 'a shared resource is created once, and removed after the last unsubscribe', SHARED),
  ofEws(5, 'a shared resource is created once, and removed after the last unsubscribe', SHARED),
  ofUcwa(6, 'the links of the server are followed literally, and acknowledge in time', {
    ...BUSY,
    ...{ ways: ['events', 'batches', 'batches', 'presence'], on: ['channel'], upheavals: 3 },
    upheaval: ['the channel is tuned', 'the channel is tuned', 'a resync', 'a resume', 'it restarts'],
  }),
  ofEws(6, 'the watermarks of the server are sent back literally', {
    ...BUSY,
    ...{ on: ['GetEvents', 'Subscribe'], ways: ['pull', 'push'], upheavals: 3 },
  }),
  ofUcwa(7, 'each event is emitted once and in order, or replaced by a gap', {
    ...BUSY,
    ...{ on: ['channel', 'channel', 'any request'], upheavals: 3, latencyMs: [0, 0, 8, 30] },
    upheaval: [
      'a resync',
      'it restarts',
      'a subscription ends',
      ...Array<'events are lost before a resume'>(4).fill('events are lost before a resume'),
    ],
  }),
  ofEws(7, 'each event is emitted once and in order, or replaced by a gap', BUSY),
  ofEws(7, 'a late event is also emitted in order, or replaced by a gap', SLOW),
  law(
    7,
    'UCWA: the states of contacts are the server’s own in the end',
    ...([contactPrograms, playContacts, describeContacts] as const),
  ),
  law(8, 'both: a decision depends on the failure alone', failings, corePurity, describeFailing),
  law(8, 'UCWA: the same failure has the same outcome', ucwaComparisons, sameOutcome, describeComparison),
  law(8, 'EWS: the same failure has the same outcome', ewsComparisons, sameOutcome, describeComparison),
  ofUcwa(9, 'nothing goes to another origin, whatever the server says', LED_ASTRAY),
  ofEws(9, 'nothing goes to another origin, whatever the server says', LED_ASTRAY),
  ofUcwa(10, 'hours pass in virtual time, with the same result twice', { pace: 20_000 }, twice),
  ofEws(10, 'hours pass in virtual time, with the same result twice', { pace: 20 }, twice),
  law(11, 'UCWA: failures never multiply load', ...([outagePrograms, playOutages, describeOutage] as const)),
  law(
    11,
    'EWS: an outage costs many subscriptions the requests of one',
    ...([ewsOutages, playEwsOutage, describeEwsOutage] as const),
  ),
  law(
    12,
    'UCWA: no stream is silent forever',
    ...([silencePrograms, playUcwaSilence, describeSilence] as const),
  ),
  law(
    12,
    'EWS: no stream is silent forever',
    ...([silencePrograms, playEwsSilence, describeSilence] as const),
  ),
  ofUcwa(13, 'late requests of our own end no stream', {
    ...LATE,
    ...{ on: ['channel', 'channel', 'removal'], upheaval: ['the channel is tuned'] },
    how: [{ arrivalDelayMs: 5 }, { arrivalDelayMs: 50 }, { arrivalDelayMs: 4000 }, { arrivesAfterMs: 30 }],
  }),
  ofUcwa(13, 'late requests of our own are not attributed to others', {
    ...LATE,
    ...{ upheaval: ['the channel is tuned'] },
    how: [{ arrivalDelayMs: 5 }, { arrivalDelayMs: 50 }, { arrivalDelayMs: 4000 }],
  }),
  ofEws(13, 'late requests of our own end no stream', {
    ...LATE,
    ...{ on: ['GetEvents', 'GetStreamingEvents', 'Unsubscribe'], upheavals: 0, ways: ['pull', 'streaming'] },
    how: [
      { arrivalDelayMs: 50 },
      { arrivalDelayMs: 4000 },
      { arrivesAfterMs: 150 },
      { arrivesAfterMs: 2500 },
    ],
  }),
  ofEws(13, 'late requests of our own are not attributed to others', {
    ...LATE,
    ...{ upheavals: 0, ways: ['pull', 'streaming'] },
    how: [{ arrivalDelayMs: 50 }, { arrivalDelayMs: 400 }, { arrivalDelayMs: 4000 }],
  }),
  law(
    14,
    'UCWA: an ill-typed optional member costs that member alone',
    damagedMessages,
    readDamaged,
    describeDamage,
  ),
  law(
    14,
    'EWS: an ill-typed optional member costs that member alone',
    damagedDocuments,
    readDamagedXml,
    describeXmlDamage,
  ),
];
