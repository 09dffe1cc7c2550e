import { filter, Subject } from 'rxjs';
import { decode } from '../../lib/core/decode.ts';
import { eventRouter, contactHrefKey } from '../../lib/ucwa/channel/eventRouter.ts';
import { eventsOf, eventsResponseCodec, type UcwaEvent } from '../../lib/ucwa/protocol/events.ts';
import { hrefKey } from '../../lib/ucwa/protocol/href.ts';
import type { Benchmark, Measures, Round } from './benchmark.ts';
import { contactHref, eventsResponse, presenceHref } from './ucwaEvents.ts';

const EVENTS = 1000;
const SUBSCRIBERS = [1, 100, 1000, 10_000];
/** More subscribers take minutes if each has its own filter. */
const MOST_FILTERS = 1000;
const REPEATS = 5;

const read = decode(eventsResponseCodec, 'event channel response');
const TEXT = eventsResponse(EVENTS, 1000);

function average(work: () => void): number {
  const begin = performance.now();
  for (let repeat = 0; repeat < REPEATS; repeat += 1) work();
  return (performance.now() - begin) / REPEATS;
}

function rounds(
  name: (count: number) => string,
  give: (count: number) => (events: readonly UcwaEvent[]) => void,
): Round {
  const ways = SUBSCRIBERS.map((count) => ({ name: name(count), give: give(count) }));
  return (): Measures =>
    Object.fromEntries(
      ways.map((way) => [way.name, average(() => way.give(eventsOf(read(JSON.parse(TEXT)))))]),
    );
}

const seen = { count: 0 };
const count = (): void => {
  seen.count += 1;
};

export const benchmark: Benchmark = {
  work: 'the same answer, given to subscribers by href; milliseconds by number of subscribers',
  contenders: {
    rxchange: () =>
      rounds(String, (subscribers) => {
        const router = eventRouter();
        for (let index = 0; index < subscribers; index += 1)
          router.route(() => count(), new Set([contactHrefKey(contactHref(index))]));
        return (events) => router.publish({ next: '', events });
      }),
    'JSON.parse': () => () => {
      const ms = average(() => JSON.parse(TEXT) as unknown);
      return Object.fromEntries(SUBSCRIBERS.map((subscribers) => [String(subscribers), ms]));
    },
    'a filter in each': () => {
      const subjects = new Map(
        SUBSCRIBERS.filter((subscribers) => subscribers <= MOST_FILTERS).map((subscribers) => {
          const subject = new Subject<UcwaEvent>();
          for (let index = 0; index < subscribers; index += 1) {
            const key = hrefKey(presenceHref(index));
            subject.pipe(filter(({ link }) => hrefKey(link.href) === key)).subscribe(count);
          }
          return [subscribers, subject];
        }),
      );
      return () =>
        Object.fromEntries(
          [...subjects].map(([subscribers, subject]) => {
            const events = eventsOf(read(JSON.parse(TEXT))).slice(0, 100);
            const begin = performance.now();
            for (const event of events) subject.next(event);
            return [String(subscribers), ((performance.now() - begin) * EVENTS) / events.length];
          }),
        );
    },
  },
  goals: [
    { measure: '10000', of: 'rxchange', per: 'JSON.parse', atMost: 1.5 },
    { measure: '1000', of: 'rxchange', per: 'JSON.parse', atMost: 1.5 },
    { measure: '1000', of: 'rxchange', per: 'rxchange', perMeasure: '1', atMost: 1.2 },
  ],
};
