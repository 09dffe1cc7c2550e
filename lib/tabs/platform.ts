import { distinctUntilChanged, fromEvent, map, merge, Observable, of, share, startWith } from 'rxjs';
import type { ChannelMessage, Port } from './messages.ts';

/** The version of this library: tabs with another version have a worker of their own. */
export const VERSION = '0.1.0';

/** Returns a name that no other tab or worker has. */
export function uniqueName(prefix: string): string {
  const digits = Array.from(crypto.getRandomValues(new Uint32Array(4)), (number) => number.toString(36));
  return `${prefix} ${digits.join('')}`;
}

/**
 * Returns an Observable that emits when it holds a lock, and holds it until it is unsubscribed.
 *
 * It errors with an `AbortError` if the lock was stolen.
 */
export type Lock = (name: string, options?: Pick<LockOptions, 'mode' | 'steal'>) => Observable<undefined>;

/** Returns the Web Locks of a page or a worker; undefined without them, as in pages without https. */
export function webLocks({ navigator }: { readonly navigator?: Partial<Navigator> } = globalThis):
  Lock | undefined {
  const locks = navigator?.locks;
  if (locks === undefined) return undefined;
  return (name, options = {}) =>
    new Observable((subscriber) => {
      const waiting = new AbortController();
      const whileHeld = (): Promise<void> =>
        new Promise((resolve) => {
          subscriber.add(resolve);
          subscriber.next(undefined);
        });
      // A request that steals cannot be aborted, because it does not wait.
      const signal = options.steal === true ? {} : { signal: waiting.signal };
      locks.request(name, { ...options, ...signal }, whileHeld).then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      );
      return () => waiting.abort();
    });
}

/** Returns a MessagePort as a {@link Port}. Only the caller knows what is sent through it. */
export function messagePort<Received, Sent>(port: MessagePort): Port<Received, Sent> {
  const messages$ = new Observable<MessageEvent<Received>>((subscriber) => {
    subscriber.add(fromEvent<MessageEvent<Received>>(port, 'message').subscribe(subscriber));
    // Messages wait in the port until it is started.
    port.start();
  });
  return { messages$: messages$.pipe(map(({ data }) => data)), post: (message) => port.postMessage(message) };
}

/** Returns an Observable that mirrors `use`, with a BroadcastChannel that is closed after it. */
export function broadcastChannel<Value>(
  name: string,
  use: (port: Port<ChannelMessage, ChannelMessage>) => Observable<Value>,
): Observable<Value> {
  return new Observable((subscriber) => {
    const channel = new BroadcastChannel(name);
    let isOpen = true;
    const messages$ = fromEvent<MessageEvent<ChannelMessage>>(channel, 'message').pipe(
      map(({ data }) => data),
      share(),
    );
    const post = (message: ChannelMessage): void => {
      if (isOpen) channel.postMessage(message);
    };
    use({ messages$, post }).subscribe(subscriber);
    // After the teardown of `use`, which posts the last messages.
    return () => {
      isOpen = false;
      channel.close();
    };
  });
}

/** Returns an Observable of whether the page is active: not frozen, and not in the browser's cache. */
export function pageIsActive(): Observable<boolean> {
  if (typeof document === 'undefined') return of(true);
  const left$ = merge(fromEvent(globalThis, 'pagehide'), fromEvent(document, 'freeze'));
  const back$ = merge(fromEvent(globalThis, 'pageshow'), fromEvent(document, 'resume'));
  return merge(left$.pipe(map(() => false)), back$.pipe(map(() => true))).pipe(
    startWith(true),
    distinctUntilChanged(),
  );
}
