import { Subscription } from 'rxjs';

/**
 * Suspends a connection while its page is hidden: the tab is closed, or another page takes its place.
 *
 * On `pagehide`, everything is removed from the server by requests that outlive the page, even while the
 * server does not respond. If the browser restores the page from its cache, as after Back, the connection
 * resumes on `pageshow`: its streams continue, with a `gap` where events may be missing. A page in a
 * background tab is not hidden in this sense. On platforms without pages, such as Node, nothing happens.
 *
 * @param connection A connection of `connectUcwa` or `connectExchange`.
 * @param page @default this page
 * @returns A Subscription: unsubscribe to leave the connection alone.
 *
 * @example
 * ```ts
 * import { suspendOnPageHide } from 'rxchange';
 * import { connectExchange, pullNotifications } from 'rxchange/ews';
 * import { ewsSimulator } from 'rxchange/testing';
 *
 * const page = new EventTarget(); // in a browser: leave it out
 * const { transport, url } = ewsSimulator();
 * const exchange = connectExchange({ server: url, transport });
 * suspendOnPageHide(exchange, page);
 * exchange.releases.outcomes$.subscribe(({ outcome, resource }) => console.log(outcome, resource));
 * pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe();
 * page.dispatchEvent(new Event('pagehide'));
 * // prints: Released PullSubscription
 * ```
 */
export function suspendOnPageHide(
  connection: { suspend(): void; resume(): void },
  page: Partial<Pick<EventTarget, 'addEventListener' | 'removeEventListener'>> = globalThis,
): Subscription {
  const suspend = (): void => connection.suspend();
  const resume = (): void => connection.resume();
  page.addEventListener?.('pagehide', suspend);
  page.addEventListener?.('pageshow', resume);
  return new Subscription(() => {
    page.removeEventListener?.('pagehide', suspend);
    page.removeEventListener?.('pageshow', resume);
  });
}
