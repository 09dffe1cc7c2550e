/** A page that counts new messages. */
import { merge, type Observable, type Subscription } from 'rxjs';
import { bearer, suspendOnPageHide } from '../../../lib/index.ts';
import {
  connectExchange,
  type EwsEvent,
  type Exchange,
  pullNotifications,
  streamingNotifications,
} from '../../../lib/ews/index.ts';

const INBOX = { folders: ['inbox'], events: ['newMail'] } as const;

let watching: Subscription | undefined;
let count = 0;
const statuses: string[] = [];

function connect(url: string): Exchange {
  const exchange = connectExchange({ server: url, auth: bearer('secret') });
  suspendOnPageHide(exchange);
  exchange.status$.subscribe((status) => {
    statuses.push(status.state === 'waiting' ? `waiting: ${status.reason}` : status.state);
  });
  return exchange;
}

function countMail(events$: Observable<EwsEvent>): void {
  watching = events$.subscribe(({ type }) => {
    if (type === 'newMail') count += 1;
  });
}

/** Counts the messages that arrive in the inbox. */
export function watch(url: string): void {
  countMail(streamingNotifications(connect(url), INBOX));
}

/** Counts the messages, with several subscriptions that poll. */
export function poll(url: string, subscriptions: number): void {
  const exchange = connect(url);
  const each = (): Observable<EwsEvent> =>
    pullNotifications(exchange, { ...INBOX, pollIntervalSeconds: 300 });
  countMail(merge(...Array.from({ length: subscriptions }, each)));
}

/** Returns the statuses of the connection so far. */
export function statusHistory(): readonly string[] {
  return statuses;
}

/** Returns the number of messages. */
export function shown(): number {
  return count;
}

export function leave(): void {
  watching?.unsubscribe();
}
