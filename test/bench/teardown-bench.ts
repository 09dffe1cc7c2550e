import { subscribe as observe } from 'node:diagnostics_channel';
import type { RequestOptions } from 'node:http';
import { type Observable, Subscription } from 'rxjs';
import type { DrainReport } from '../../lib/core/lifecycle/ledger.ts';
import { unsubscribeEnvelope } from '../../lib/ews/protocol/envelope.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import type { Benchmark, Contender, Measures } from './benchmark.ts';
import { SUBSCRIPTION_ID } from './ewsMessages.ts';
import { keepingAgent, loopback, raw, textOf } from './loopback.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { batching } from '../../lib/ucwa/batch/batched.ts';

const SUBSCRIPTIONS = 1000;
const IN_FLIGHT = 16;
const EWS_PATH = '/EWS/Exchange.asmx';

const counted = { requests: 0, sockets: 0 };
observe('http.client.request.start', () => (counted.requests += 1));
observe('net.client.socket', () => (counted.sockets += 1));

/** Returns the time of the work, its requests, and the sockets opened since the last call. */
async function measured(work: () => Promise<unknown>): Promise<Measures> {
  counted.requests = 0;
  const begin = performance.now();
  await work();
  const measures = { ms: performance.now() - begin, ...counted };
  counted.sockets = 0;
  return measures;
}

interface Connection {
  drain(): Promise<DrainReport>;
}

/** Ends the subscriptions together after each has an event, and waits until the server has none. */
async function endTogether(
  connection: Connection,
  subscriptions: readonly Observable<unknown>[],
): Promise<Measures> {
  const all = new Subscription();
  await Promise.all(
    subscriptions.map(
      (subscription) =>
        new Promise((resolve, reject) => all.add(subscription.subscribe({ next: resolve, error: reject }))),
    ),
  );
  return measured(async () => {
    all.unsubscribe();
    const { clean } = await connection.drain();
    if (!clean) throw new Error('Something is left on the server');
  });
}

function indexes(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** One request per subscription, as many at a time as there are sockets: only the necessary work. */
function oneEach(server: string, options: RequestOptions, path: string, body?: string): Contender {
  return async () => {
    const origin = await loopback(server);
    return async () => {
      // The server may close idle connections between two rounds.
      const agent = keepingAgent(IN_FLIGHT);
      const send = async (): Promise<unknown> =>
        textOf(await raw(`${origin}${path}`, { ...options, agent }, body));
      await Promise.all(indexes(IN_FLIGHT).map(send));
      return measured(() => Promise.all(indexes(SUBSCRIPTIONS).map(send)));
    };
  };
}

export const benchmark: Benchmark = {
  work: '1,000 subscriptions that end together, on a server that takes 10 ms for an answer',
  rounds: 5,
  contenders: {
    'rxchange/ucwa': async () => {
      const applications = `${await loopback('ucwa')}/ucwa/oauth/v1/applications`;
      return () => {
        const ucwa = connectUcwa({
          server: applications,
          auth: bearer('secret'),
          batch: batching({ maxParts: 100 }),
        });
        return endTogether(
          ucwa,
          indexes(SUBSCRIPTIONS).map((index) => presence(ucwa, { uris: [`sip:user${index}@contoso.com`] })),
        );
      };
    },
    'rxchange/ews': async () => {
      const url = `${await loopback('ews')}${EWS_PATH}`;
      const options = { folders: ['inbox'], events: ['newMail'], pollIntervalSeconds: 300 } as const;
      return () => {
        const exchange = connectExchange({ server: url, maxConcurrentRequests: IN_FLIGHT });
        return endTogether(
          exchange,
          indexes(SUBSCRIPTIONS).map(() => pullNotifications(exchange, options)),
        );
      };
    },
    'DELETE one by one': oneEach('ucwa', { method: 'DELETE' }, '/ucwa/oauth/v1/applications/101/none'),
    'Unsubscribe one by one': oneEach(
      'ews',
      { method: 'POST', headers: { 'content-type': 'text/xml; charset=utf-8' } },
      EWS_PATH,
      unsubscribeEnvelope({ version: 'Exchange2013_SP1' }, SUBSCRIPTION_ID),
    ),
  },
  goals: [
    { measure: 'requests', of: 'rxchange/ucwa', atMost: 11 },
    { measure: 'ms', of: 'rxchange/ucwa', per: 'DELETE one by one', atMost: 0.25 },
    { measure: 'ms', of: 'rxchange/ews', per: 'Unsubscribe one by one', atMost: 1.2 },
    { measure: 'sockets', of: 'rxchange/ews', atMost: IN_FLIGHT },
  ],
};
