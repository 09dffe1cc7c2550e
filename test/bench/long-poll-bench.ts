import crossFetch from 'cross-fetch';
import { mergeMap, repeat, take } from 'rxjs';
import { readText } from '../../lib/core/transport/transport.ts';
import { fetchTransport } from '../../lib/core/transport/fetch.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import type { Benchmark, Contender } from './benchmark.ts';
import { keepingAgent, loopback, raw, textOf } from './loopback.ts';
import { APPLICATION } from './ucwaEvents.ts';
import { bearer } from '../../lib/core/auth/auth.ts';

const ROUNDS = 1000;

/** Measures this many rounds, one after another. */
function contender(prepare: (origin: string) => (rounds: number) => Promise<void>): Contender {
  return async () => {
    const go = prepare(await loopback('channel'));
    return async () => {
      const begin = performance.now();
      await go(ROUNDS);
      return { 'rounds per second': (1000 * ROUNDS) / (performance.now() - begin) };
    };
  };
}

/** Sends requests one after another, with any client. */
function polling(ask: (url: string) => Promise<string>): Contender {
  return contender((origin) => async (rounds) => {
    for (let round = 0; round < rounds; round += 1)
      JSON.parse(await ask(`${origin}${APPLICATION}/events?ack=2`));
  });
}

export const benchmark: Benchmark = {
  work: 'rounds of the event channel over loopback, where the server has an event at once',
  contenders: {
    rxchange: contender((origin) => (rounds) => {
      const ucwa = connectUcwa({ server: `${origin}/ucwa/oauth/v1/applications`, auth: bearer('secret') });
      return new Promise((resolve, reject) => {
        ucwa.events$.pipe(take(rounds)).subscribe({
          error: reject,
          complete: () => void ucwa.drain().then(() => resolve()),
        });
      });
    }),
    'raw http': contender((origin) => {
      const agent = keepingAgent();
      return async (rounds) => {
        for (let round = 0; round < rounds; round += 1) {
          JSON.parse(await textOf(await raw(`${origin}${APPLICATION}/events?ack=2`, { agent })));
        }
      };
    }),
    // With its own connections, because the library's are only released by their reader.
    'cross-fetch': polling(
      (
        (init) => async (url: string) =>
          (await crossFetch(url, init)).text()
      )({ agent: keepingAgent() } as RequestInit),
    ),
    'global fetch': polling(async (url) => (await fetch(url)).text()),
    fetchTransport: contender((origin) => {
      const request = { method: 'GET', url: `${origin}${APPLICATION}/events?ack=2` };
      const transport = fetchTransport();
      return (rounds) =>
        new Promise((resolve, reject) => {
          transport(request)
            .pipe(
              mergeMap((response) => readText(response, 'events')),
              repeat(rounds),
            )
            .subscribe({ next: (text) => JSON.parse(text) as unknown, error: reject, complete: resolve });
        });
    }),
  },
  goals: [
    { measure: 'rounds per second', of: 'rxchange', per: 'raw http', atLeast: 0.65 },
    { measure: 'rounds per second', of: 'rxchange', per: 'cross-fetch', atLeast: 0.9 },
  ],
};
