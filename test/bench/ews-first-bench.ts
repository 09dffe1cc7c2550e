import { take, tap } from 'rxjs';
import { fetchTransport } from '../../lib/core/transport/fetch.ts';
import type { Transport } from '../../lib/core/transport/transport.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import type { Benchmark } from './benchmark.ts';
import { pullByEwsJavascriptApi } from './ewsJavascriptApi.ts';
import { keepingAgent, loopback, raw } from './loopback.ts';

const PATH = '/EWS/Exchange.asmx';

export const benchmark: Benchmark = {
  work: 'GetEvents with 10,000 events over loopback: from the request to the first event; milliseconds',
  contenders: {
    rxchange: async () => {
      const url = `${await loopback('getEvents')}${PATH}`;
      const sending = fetchTransport();
      let askedAt = 0;
      const transport: Transport = (request) => {
        if (request.body?.includes('GetEvents') === true) askedAt = performance.now();
        return sending(request);
      };
      const service = connectExchange({ server: url, transport });
      const options = { folders: ['inbox'], events: ['newMail'], pollIntervalSeconds: 300 } as const;
      return () =>
        new Promise((resolve, reject) => {
          let first = 0;
          pullNotifications(service, options)
            .pipe(
              tap(() => (first ||= performance.now() - askedAt)),
              take(10_000),
            )
            .subscribe({
              error: reject,
              complete: () => {
                const all = performance.now() - askedAt;
                void service.drain().then(() => resolve({ first, all }));
              },
            });
        });
    },
    'the first raw byte': async () => {
      const url = `${await loopback('getEvents')}${PATH}`;
      const agent = keepingAgent();
      return async () => {
        const begin = performance.now();
        const answer = await raw(url, { method: 'POST', agent }, '<m:GetEvents></m:GetEvents>');
        return new Promise((resolve) => {
          let first = 0;
          answer.on('data', () => (first ||= performance.now() - begin));
          answer.on('end', () => resolve({ first, all: performance.now() - begin }));
        });
      };
    },
    'ews-javascript-api': async () => {
      const getEvents = await pullByEwsJavascriptApi(`${await loopback('getEvents')}${PATH}`);
      return async () => {
        const begin = performance.now();
        await getEvents();
        const first = performance.now() - begin;
        return { first, all: first };
      };
    },
  },
  goals: [
    { measure: 'first', of: 'ews-javascript-api', per: 'rxchange', atLeast: 250 },
    { measure: 'first', of: 'rxchange', per: 'the first raw byte', atMost: 1.5 },
  ],
};
