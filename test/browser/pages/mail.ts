/** A page that counts new messages. */
import type { Subscription } from 'rxjs';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';

let watching: Subscription | undefined;
let count = 0;

/** Counts the messages that arrive in the inbox. */
export function watch(url: string): void {
  const exchange = connectExchange({ server: url, auth: bearer('secret') });
  watching = streamingNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe(
    ({ type }) => {
      if (type === 'newMail') count += 1;
    },
  );
}

/** Returns the number of messages. */
export function shown(): number {
  return count;
}

export function leave(): void {
  watching?.unsubscribe();
}
