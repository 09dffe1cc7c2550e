import { feature, type Feature } from '../../core/feature.ts';
import { firstAlone } from '../../core/auth/firstAlone.ts';
import type { Middleware } from '../../core/transport/transport.ts';
import { cookieJar, withCookies } from '../../core/transport/withCookies.ts';

/** The option `affinity` of `connectExchange`: the value of {@link affinity}. */
export interface Affinity {
  readonly keeps: 'cookies';
}

/** Keeps the requests of one group of mailboxes on one server of a farm. */
export interface GroupAffinity {
  /** Sends the cookies of the group. It belongs below `restrictToOrigin`, so that it sees each redirect. */
  readonly middleware: Middleware;
  /** Forgets the server: for mailboxes that moved, and servers that are gone. */
  readonly forget: () => void;
}

/** The feature of {@link affinity}. */
export const AFFINITY: Feature<{ readonly group: () => GroupAffinity }> = /* @__PURE__ */ feature(
  "affinity() from 'rxchange/ews'",
);

/**
 * Returns the option that keeps each group of mailboxes on one server, by cookies.
 *
 * Use it outside browsers, which keep cookies themselves, when a load balancer spreads requests over several
 * servers by cookies: with Exchange 2010, and when mailboxes with the same `anchorMailbox` share connections.
 * There, a server that did not create a subscription answers that it does not exist: without affinity,
 * streams emit a `gap` event with the reason `subscriptionLost` again and again. A single server needs none.
 * Exchange 2013 and later find the server of one mailbox by the header `X-AnchorMailbox`, which is always
 * sent if the address of the mailbox is known.
 *
 * The cookies of a response, such as `X-BackEndOverrideCookie`, go to the origin that set them, with requests
 * of the same group only. The first request of a group goes alone, because only its response names the
 * server. The others wait for it for at most 30 seconds; if it fails, the next one is the first.
 *
 * @see [EWS] How to maintain affinity between a group of subscriptions and the Mailbox server
 *
 * @example
 * ```ts
 * import { affinity, connectExchange, streamingNotifications } from 'rxchange/ews';
 * import { ewsSimulator } from 'rxchange/testing';
 *
 * const { url, transport } = ewsSimulator();
 * const exchange = connectExchange({
 *   ...{ server: url, transport },
 *   anchorMailbox: 'sara@contoso.com',
 *   affinity: affinity(),
 * });
 * const watching = streamingNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe();
 * watching.unsubscribe();
 * console.log((await exchange.drain()).clean);
 * // prints: true
 * ```
 */
export function affinity(): Affinity {
  return AFFINITY.create({ keeps: 'cookies' }, { group: groupAffinity });
}

/** Creates the affinity of one group. */
function groupAffinity(): GroupAffinity {
  const jar = cookieJar();
  const keepCookies = withCookies(jar);
  const first = firstAlone(({ status }) => status >= 200 && status < 300);
  return {
    middleware: (transport) => {
      const send = keepCookies(transport);
      return (request) => first.send(() => send(request));
    },
    forget: () => {
      jar.clear();
      first.forget();
    },
  };
}
