import * as t from 'io-ts';
import { decode } from '../../lib/core/decode.ts';
import { eventsOf, eventsResponseCodec } from '../../lib/ucwa/protocol/events.ts';
import type { Benchmark, Round } from './benchmark.ts';
import { eventsResponse } from './ucwaEvents.ts';

const KEPT = 10;
/**
 * Larger than several young generations: with a smaller round, a few bytes decide whether the garbage
 * collector runs during the measurement or after it.
 */
const ANSWERS = 8 * KEPT;
const TEXTS = Array.from({ length: KEPT }, () => eventsResponse(1000, 1000));

function round(read: (text: string) => unknown): Round {
  return () => {
    const kept: unknown[] = [];
    const begin = performance.now();
    for (let answer = 0; answer < ANSWERS; answer += KEPT) {
      TEXTS.forEach((text, index) => (kept[index] = read(text)));
    }
    return { ms: (performance.now() - begin) / ANSWERS };
  };
}

const link = t.intersection([t.type({ href: t.string }), t.partial({ rel: t.string, title: t.string })]);
const usual = t.intersection([
  t.type({ _links: t.record(t.string, link) }),
  t.partial({
    sender: t.array(
      t.type({
        rel: t.string,
        href: t.string,
        events: t.array(
          t.intersection([
            t.type({ link, type: t.string }),
            t.partial({ in: link, _embedded: t.record(t.string, t.UnknownRecord), status: t.string }),
          ]),
        ),
      }),
    ),
  }),
]);

export const benchmark: Benchmark = {
  work: 'an answer of the event channel with 1,000 events, to flat typed events, the last ten kept; milliseconds',
  contenders: {
    rxchange: () => {
      const read = decode(eventsResponseCodec, 'event channel response');
      return round((text) => eventsOf(read(JSON.parse(text))));
    },
    'JSON.parse': () => round((text) => JSON.parse(text) as unknown),
    'io-ts as usual': () => {
      const read = decode(usual, 'event channel response');
      return round((text) => read(JSON.parse(text)));
    },
  },
  goals: [{ measure: 'ms', of: 'rxchange', per: 'JSON.parse', atMost: 1.15 }],
};
