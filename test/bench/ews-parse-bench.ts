import type { Benchmark, Goal, Round } from './benchmark.ts';
import {
  readByEmptySaxes,
  readByRxchange,
  readerByEwsJavascriptApi,
  readerByFastXmlParser,
} from './ewsContenders.ts';
import { bytesOf, chunksOf, getEventsResponse, type ResponseShape } from './ewsMessages.ts';

const CHUNK_BYTES = 65_536;
const SHAPES: Readonly<Record<string, ResponseShape>> = {
  '10,000 events': { events: 10_000 },
  '1,000 events': { events: 1000 },
  '1,000 envelopes': { events: 1000, envelopes: 1000 },
};

/** The bytes of each type of envelope, in chunks. */
const INPUTS = Object.entries(SHAPES).map(([shape, { events, envelopes = 1 }]) => {
  const texts = Array.from({ length: envelopes }, () => getEventsResponse({ events: events / envelopes }));
  return { shape, envelopes: texts.map((text) => chunksOf(bytesOf(text), CHUNK_BYTES)) };
});

function round(read: (envelopes: readonly (readonly Uint8Array[])[]) => number): Round {
  return () =>
    Object.fromEntries(
      INPUTS.map(({ shape, envelopes }) => {
        const begin = performance.now();
        read(envelopes);
        return [shape, performance.now() - begin];
      }),
    );
}

const goals = Object.keys(SHAPES).flatMap((measure): Goal[] => [
  { measure, of: 'ews-javascript-api', per: 'rxchange', atLeast: 10 },
  { measure, of: 'rxchange', per: 'saxes, empty', atMost: 1.5 },
]);

export const benchmark: Benchmark = {
  work: 'GetEvents responses in chunks of 64 KiB, to typed events; milliseconds',
  contenders: {
    rxchange: () => round((envelopes) => readByRxchange(envelopes.flat())),
    'saxes, empty': () => round(readByEmptySaxes),
    'fast-xml-parser': async () => round(await readerByFastXmlParser()),
    'ews-javascript-api': async () => round(await readerByEwsJavascriptApi()),
  },
  goals,
};
