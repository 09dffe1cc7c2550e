import { EMPTY, Observable, of, Subject } from 'rxjs';
import { headersFrom, type Transport } from '../../core/transport/transport.ts';
import type { PushRequest } from '../../ews/push/pushRequest.ts';

/** A callback for push notifications, without a network. */
export interface PushCallback {
  /** The transport for the option `push` of {@link ewsSimulator}. */
  readonly transport: Transport;
  /** The posted notifications, for `pushNotifications`. */
  readonly incoming$: Observable<PushRequest>;
}

/**
 * Creates a callback for the push notifications of a simulated server, whatever the callback URL is.
 *
 * It replaces a `pushListener` in virtual time.
 *
 * @example
 * ```ts
 * import { connectExchange, pushNotifications } from 'rxchange/ews';
 * import { ewsSimulator, pushCallback } from 'rxchange/testing';
 *
 * const { transport, incoming$ } = pushCallback();
 * const server = ewsSimulator({ push: transport });
 * const exchange = connectExchange({ server: server.url, transport: server.transport });
 * const options = { allFolders: true, events: ['created'], callbackUrl: 'https://any.example/' } as const;
 * const watching = pushNotifications(exchange, options, incoming$).subscribe();
 * server.createItem('drafts');
 * watching.unsubscribe();
 * server.createItem('drafts');
 * console.log(server.posts.map(({ response }) => response).join(', '));
 * // prints: OK, OK, Unsubscribe
 * ```
 */
export function pushCallback(): PushCallback {
  const incoming = new Subject<PushRequest>();
  return {
    incoming$: incoming.asObservable(),
    transport: ({ url, body = '' }) =>
      new Observable((subscriber) => {
        if (!incoming.observed) {
          subscriber.next({ status: 503, url, headers: headersFrom({}), body$: EMPTY });
          subscriber.complete();
          return;
        }
        incoming.next({
          url: () => url,
          body$: of(new TextEncoder().encode(body)),
          respond: ({ status, headers, body: answer }) => {
            const body$ = of(new TextEncoder().encode(answer));
            subscriber.next({ status, url, headers: headersFrom(headers), body$ });
            subscriber.complete();
          },
        });
      }),
  };
}
