import { take } from 'rxjs';
import { streamingNotifications } from '../../lib/ews/streaming/streaming.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import type { Benchmark, Contender, Goal, Measures } from './benchmark.ts';
import { streamByEwsJavascriptApi } from './ewsJavascriptApi.ts';
import { keepingAgent, loopback, raw } from './loopback.ts';
import { ENVELOPES, machineMs, WAYS } from './streamListener.ts';

/** Emits the item ids of a stream until it ends. */
type Follow = (url: string, next: (id: string) => void) => Promise<void>;

function contender(follow: Follow): Contender {
  return async () => {
    const origin = await loopback('stream');
    return async (): Promise<Measures> => {
      const measures: Record<string, number> = {};
      for (const way of Object.keys(WAYS)) {
        const lateMs: number[] = [];
        let inOrder = 0;
        await follow(`${origin}/${way}/Exchange.asmx`, (id) => {
          const [index, sentAt] = id.split('-').map(Number);
          lateMs.push(machineMs() - (sentAt ?? NaN));
          if (index === inOrder) inOrder += 1;
        });
        lateMs.sort((a, b) => a - b);
        measures[`${way} p50`] = lateMs[Math.floor(lateMs.length / 2)] ?? NaN;
        measures[`${way} in order`] = inOrder;
      }
      return measures;
    };
  };
}

const goals = Object.keys(WAYS).flatMap((way): Goal[] => [
  { measure: `${way} in order`, of: 'rxchange', atLeast: ENVELOPES },
  { measure: `${way} p50`, of: 'rxchange', minus: 'raw chunks', atMost: 0.2 },
]);

export const benchmark: Benchmark = {
  work: '200 envelopes, one each 10 ms, from the write to the event; milliseconds, and how many in order',
  rounds: 3,
  warmUpRounds: 1,
  contenders: {
    rxchange: contender((url, next) => {
      const service = connectExchange({ server: url });
      const options = { folders: ['inbox'], events: ['newMail'] } as const;
      return new Promise((resolve, reject) => {
        streamingNotifications(service, options)
          .pipe(take(ENVELOPES))
          .subscribe({
            next: (event) => {
              if (event.type === 'newMail') next(event.item?.id ?? '');
            },
            error: reject,
            complete: () => void service.drain().then(() => resolve()),
          });
      });
    }),
    'raw chunks': contender(async (url, next) => {
      const answer = await raw(url, { method: 'POST', agent: keepingAgent() }, '<m:GetStreamingEvents>');
      let text = '';
      answer.setEncoding('utf8');
      for await (const chunk of answer) {
        text += chunk as string;
        for (let end = text.indexOf('Envelope>'); end !== -1; end = text.indexOf('Envelope>')) {
          const id = /ItemId Id="([^"]+)"/.exec(text.slice(0, end))?.[1];
          if (id !== undefined) next(id);
          text = text.slice(end + 'Envelope>'.length);
        }
      }
    }),
    'ews-javascript-api': contender(streamByEwsJavascriptApi),
  },
  goals,
};
