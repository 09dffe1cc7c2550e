import {
  type MonoTypeOperatorFunction,
  Observable,
  of,
  race,
  share,
  Subject,
  type SubjectLike,
  type Subscriber,
  timer,
  Subscription,
} from 'rxjs';
import { ClosedError } from '../errors.ts';
import { invalidType } from '../options.ts';
import type { ReleaseLedger } from './ledger.ts';

/**
 * Returns an operator that shares one subscription to the source, and keeps it for a grace period.
 *
 * The period begins when the last subscriber unsubscribes, so that a quick unmount and mount costs the server
 * nothing. There is none while the ledger drains, and after it was closed.
 *
 * @param graceMs In milliseconds, or a function that returns them when the period begins.
 * @param connector Creates the Subject, such as a `ReplaySubject` for late subscribers. @default a plain
 * Subject
 */
export function shareWithGrace<Value>(
  ledger: Pick<ReleaseLedger, 'draining$'>,
  graceMs: number | (() => number),
  connector: () => SubjectLike<Value> = () => new Subject<Value>(),
): MonoTypeOperatorFunction<Value> {
  return share({
    connector,
    resetOnRefCountZero: () => {
      const ms = typeof graceMs === 'number' ? graceMs : graceMs();
      // In this order, no timer starts during a drain.
      return ms === 0 ? of(ms) : race(ledger.draining$, timer(ms));
    },
  });
}

/**
 * Returns an operator that completes when the connection is closed; later subscribers get a {@link
 * ClosedError}.
 *
 * @param what The name of the stream, for the error and for inspectors.
 * @param options The options of the stream, for inspectors.
 */
export function untilClosed<Value>(
  ledger: Pick<ReleaseLedger, 'isClosed' | 'streams' | 'inspection'>,
  what: string,
  options?: unknown,
): MonoTypeOperatorFunction<Value> {
  return (source) =>
    new Observable((subscriber) => {
      if (ledger.isClosed) subscriber.error(new ClosedError(what));
      else {
        completeOnClose(ledger, what, subscriber);
        (ledger.inspection?.stream(source, what, options) ?? source).subscribe(subscriber);
      }
    });
}

/**
 * Completes a subscriber when the connection is closed. A takeUntil would take a kilobyte per stream, and
 * removing it from its Subject is linear. In a function of its own, so that no closure keeps the source.
 */
function completeOnClose<Value>(
  { streams }: Pick<ReleaseLedger, 'streams'>,
  what: string,
  subscriber: Subscriber<Value>,
): void {
  streams.set(subscriber, what);
  subscriber.add(() => streams.delete(subscriber));
}

/**
 * Suspends a connection while its page is hidden.
 *
 * A page is hidden when its tab is closed, or another page takes its place.
 *
 * On `pagehide`, everything is removed from the server by requests that outlive the page, even while the
 * server does not respond. If the browser restores the page from its cache, as after Back, the connection
 * resumes on `pageshow`: its streams continue, with a `gap` where events may be missing. A page in a
 * background tab is not hidden in this sense. On platforms without pages, such as Node, nothing happens.
 *
 * @param connection A connection of `connectUcwa` or `connectExchange`.
 * @param page @default this page
 * @returns A Subscription: unsubscribe to leave the connection alone.
 * @throws TypeError for anything but a connection.
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
  if (typeof (connection as Partial<typeof connection> | undefined)?.suspend !== 'function')
    throw invalidType('connection', connection, 'what connectUcwa() or connectExchange() returned');
  const suspend = (): void => connection.suspend();
  const resume = (): void => connection.resume();
  page.addEventListener?.('pagehide', suspend);
  page.addEventListener?.('pageshow', resume);
  return new Subscription(() => {
    page.removeEventListener?.('pagehide', suspend);
    page.removeEventListener?.('pageshow', resume);
  });
}
