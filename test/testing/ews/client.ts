import { expect } from 'chai';
import { mergeMap } from 'rxjs';
import { readText } from '../../../lib/core/transport/transport.ts';
import {
  getEventsEnvelope,
  subscribeEnvelope,
  type PullSubscriptionRequest,
} from '../../../lib/ews/protocol/envelope.ts';
import { messageParser } from '../../../lib/ews/protocol/parser.ts';
import type { EwsMessage, ResponseMessage } from '../../../lib/ews/protocol/messages.ts';
import { type EwsSimulator } from '../../../lib/testing/ews/simulator.ts';

export const head = { version: 'Exchange2013_SP1' };
export const all = [
  'created',
  'deleted',
  'modified',
  'moved',
  'copied',
  'newMail',
  'freeBusyChanged',
] as const;
export const inbox: PullSubscriptionRequest = {
  type: 'pull',
  folders: ['inbox'],
  events: all,
  watermark: undefined,
  timeoutMinutes: 10,
};
export const everywhere: PullSubscriptionRequest = { ...inbox, folders: undefined };

/** The result of an exchange. */
export interface Exchanged {
  status: number | undefined;
  text: string;
  messages: EwsMessage[];
  error: unknown;
}

/** Sends one request to a server that responds synchronously. */
export function send(
  server: EwsSimulator,
  body: string,
  more: { method?: string; path?: string; headers?: Record<string, string> } = {},
): Exchanged {
  const result: Exchanged = { status: undefined, text: '', messages: [], error: undefined };
  const { method = 'POST', path = server.url, headers = {} } = more;
  server
    .transport({
      method,
      url: path,
      headers: { 'content-type': 'text/xml; charset=utf-8', ...headers },
      body,
    })
    .pipe(
      mergeMap((response) => {
        result.status = response.status;
        return readText(response, 'answer');
      }),
    )
    .subscribe({
      next: (text) => {
        result.text = text;
        if (!text.includes('Envelope')) return;
        const parser = messageParser((message) => result.messages.push(message));
        parser.write(new TextEncoder().encode(text));
        parser.end();
      },
      error: (error: unknown) => (result.error = error),
    });
  return result;
}

export const message = ({ messages }: Exchanged): ResponseMessage => {
  expect(messages).to.have.length(1);
  expect(messages[0]!.type).to.equal('response');
  return messages[0] as ResponseMessage;
};

export const subscribe = (
  server: EwsSimulator,
  request: PullSubscriptionRequest = inbox,
): { id: string; watermark: string } => {
  const { subscriptionId, watermark } = message(send(server, subscribeEnvelope(head, request)));
  return { id: subscriptionId!, watermark: watermark ?? '' };
};

export const ask = (server: EwsSimulator, id: string, watermark: string): ResponseMessage =>
  message(send(server, getEventsEnvelope(head, id, watermark)));

export const typesOf = (answer: ResponseMessage): string[] =>
  answer.notifications.flatMap(({ events }) => events.map(({ type }) => type));
