import { Subscription } from 'rxjs';
import type { Releases } from './ledger.ts';

/**
 * Closes a connection when its page goes: the tab is closed, or another page takes its place.
 *
 * The requests that remove resources are sent with `keepalive`, so that they outlive the page, even while the
 * server does not respond. Their responses are not awaited; a resource that can only be removed after another
 * one expires.
 *
 * If the page returns from the browser's cache, its connection is closed: create another on `pageshow`. On
 * platforms without pages, such as Node, nothing happens.
 *
 * @param connection A connection of `connectUcwa` or `connectExchange`, or a ledger.
 * @param page @default this page
 * @returns A Subscription: unsubscribe to leave the connection open.
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
