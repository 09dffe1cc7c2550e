import { Subscription } from 'rxjs';
import type { Releases } from './ledger.ts';

/**
 * Closes a connection when its page goes: the tab is closed, or another page takes its place. The requests
 * that remove what it has on the server are sent with `keepalive`, so that they outlive the page, also those that wait
 * for a server that does not answer; their
 * answers are not waited for, and what is removed only after another is left to the server's own time.
 *
 * A page that comes back from the browser's cache finds its connection closed: make another on `pageshow`. Where
 * there are no pages, as on Node, nothing happens.
 *
 * @param connection What `connect` or `exchange` returned, or a ledger of one's own.
 * @param page @default this one
 * @returns A Subscription: unsubscribe from it to leave the connection open after all.
 *
 * @example
 * ```ts
 * import { closeOnPageHide } from 'rxchange';
 * import { connectExchange, pullNotifications } from 'rxchange/ews';
 * import { ewsSimulator } from 'rxchange/testing';
 *
 * const page = new EventTarget(); // in a browser: leave it out
 * const { transport, url } = ewsSimulator();
 * const exchange = connectExchange({ server: url, transport });
 * closeOnPageHide(exchange, page);
 * exchange.releases.outcomes$.subscribe(({ outcome, resource }) => console.log(outcome, resource));
 * pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe();
 * page.dispatchEvent(new Event('pagehide'));
 * // prints: Released PullSubscription
 * ```
 */
export function closeOnPageHide(
  connection: Pick<Releases, 'close'>,
  page: Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>> = globalThis,
): Subscription {
  const close = (): void => void connection.close({ immediately: true });
  page.addEventListener?.('pagehide', close);
  return new Subscription(() => page.removeEventListener?.('pagehide', close));
}
