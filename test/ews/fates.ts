import { from, of, timer } from 'rxjs';
import { headersFrom, type HttpResponse, type Transport } from '../../lib/core/transport/transport.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { streamingNotifications } from '../../lib/ews/streaming/streaming.ts';
import { summarize } from '../../lib/testing/ews/requests/readRequest.ts';
import { ewsSimulator } from '../../lib/testing/ews/simulator.ts';
import { inVirtualTime } from '../support/virtualTime.ts';

const OPTIONS = { folders: ['inbox'], events: ['newMail'] } as const;
const encoder = new TextEncoder();
/** The status and the content type of a response. */
export const XML = 'text/xml; charset=utf-8';

/** The result of a subscription whose requests for events always get the same response. */
export interface Fate {
  readonly types: readonly string[];
  readonly error: Error | undefined;
  /** The subscriptions on the server at the end, and the requests. */
  readonly left: number;
  readonly last: string | undefined;
}

/** Subscribes to a server with this response to each request for events, and returns the result. */
export function fateOf(
  kind: 'pull' | 'stream',
  body: () => HttpResponse['body$'],
  contentType: string = XML,
): Fate {
  const server = ewsSimulator();
  const types: string[] = [];
  let error: Error | undefined;
  const transport: Transport = (request) => {
    const { operation } = summarize(request.body ?? '');
    if (operation !== 'GetEvents' && operation !== 'GetStreamingEvents') return server.transport(request);
    return of({
      status: 200,
      url: request.url,
      headers: headersFrom({ 'content-type': contentType }),
      body$: body(),
    });
  };
  inVirtualTime(() => {
    const exchange = connectExchange({
      server: server.url,
      transport,
      retry: { initialMs: 1000, random: () => 0.5 },
    });
    const notifications = kind === 'pull' ? pullNotifications : streamingNotifications;
    const watching = notifications(exchange, OPTIONS).subscribe({
      next: (event) => types.push(event.type === 'gap' ? `gap ${event.reason}` : event.type),
      error: (thrown: Error) => (error = thrown),
    });
    timer(100_000).subscribe(() => watching.unsubscribe());
  });
  const last = server.requests.at(-1)?.operation;
  return { types, error, left: server.subscriptions.length, last };
}

/** Returns a body that arrives in such chunks. */
export const text =
  (...chunks: readonly string[]) =>
  (): HttpResponse['body$'] =>
    from(chunks.map((chunk) => encoder.encode(chunk)));
