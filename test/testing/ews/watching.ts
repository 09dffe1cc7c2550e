import { asyncScheduler, mergeMap, type Subscription } from 'rxjs';
import {
  type EnvelopeHead,
  getStreamingEventsEnvelope,
  subscribeEnvelope,
} from '../../../lib/ews/protocol/envelope.ts';
import { streamingParser } from '../../../lib/ews/protocol/streamParser.ts';
import { ewsSimulator, type EwsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { type EwsSimulatorOptions } from '../../../lib/testing/ews/options.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

export const head: EnvelopeHead = { version: 'Exchange2013_SP1' };
const headers = { 'content-type': 'text/xml; charset=utf-8' };

/** A server in virtual time, and its streams. */
export interface Watching {
  readonly server: EwsSimulator;
  /** The messages received, such as `45 S1:status OK`: the time in seconds, the events, and the status. */
  readonly seen: string[];
  readonly text: string[];
  readonly subscribe: (head?: EnvelopeHead, mailbox?: string) => string;
  readonly stream: (ids: readonly string[], minutes?: number, head?: EnvelopeHead) => Subscription;
  /** Sends a request, whose response is in `text`. */
  readonly send: (body: string) => void;
}

/** Runs a spec with a server and its streams in virtual time. */
export function watching(script: (watching: Watching) => void, options: EwsSimulatorOptions = {}): Watching {
  const server = ewsSimulator(options);
  const seen: string[] = [];
  const text: string[] = [];
  const names = new Map<string, string>();
  const post = (body: string): ReturnType<typeof server.transport> =>
    server.transport({ method: 'POST', url: server.url, headers, body });
  const note = (line: string): void => {
    seen.push(`${asyncScheduler.now() / 1000} ${line}`);
  };
  const nameOf = (id: string): string => names.get(id) ?? 'unknown';

  const result: Watching = {
    server,
    seen,
    text,
    subscribe: (as = head, mailbox) => {
      const folders = [mailbox === undefined ? 'inbox' : { distinguished: 'inbox', mailbox }];
      post(subscribeEnvelope(as, { type: 'streaming', folders, events: ['newMail', 'created'] }))
        .pipe(mergeMap(({ body$ }) => body$))
        .subscribe();
      const id = server.subscriptions.at(-1)!.id;
      names.set(id, `S${names.size + 1}`);
      return id;
    },
    send: (body) => {
      post(body)
        .pipe(mergeMap(({ body$ }) => body$))
        .subscribe((chunk) => text.push(new TextDecoder().decode(chunk)));
    },
    stream: (ids, minutes = 10, as = head) => {
      const parser = streamingParser((message) => {
        if (message.type !== 'response') {
          note(message.type);
          return;
        }
        const { responseClass, responseCode, notifications, errorSubscriptionIds, connectionStatus } =
          message;
        const events = notifications.flatMap(({ subscriptionId, events: all }) =>
          all.map(({ type }) => `${nameOf(subscriptionId)}:${type}`),
        );
        note(
          [
            ...(responseClass === 'Error' ? [responseCode] : []),
            ...errorSubscriptionIds.map((id) => `!${nameOf(id)}`),
            ...events,
            connectionStatus ?? '-',
          ].join(' '),
        );
      });
      return post(getStreamingEventsEnvelope(as, ids, minutes))
        .pipe(mergeMap(({ body$ }) => body$))
        .subscribe({
          next: (chunk) => {
            text.push(new TextDecoder().decode(chunk));
            parser.write(chunk);
          },
          error: () => note('broke off'),
          complete: () => note('end'),
        });
    },
  };
  inVirtualTime(() => script(result));
  return result;
}
