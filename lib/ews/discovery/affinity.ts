import type { Observable } from 'rxjs';
import { invalidOption, objectOption } from '../../core/options.ts';
import { firstAlone } from '../../core/transport/firstAlone.ts';
import type { HttpResponse, Middleware } from '../../core/transport/transport.ts';
import { cookieJar, withCookies } from '../../core/transport/withCookies.ts';

/** What makes a group. */
export interface AffinityOptions {
  /** The SMTP address of one mailbox of the group, by which its server is found. */
  readonly anchorMailbox: string;
}

/** Mailboxes whose subscriptions are kept on one server of a farm. */
export interface AffinityGroup {
  readonly anchorMailbox: string;
  /** Leads the requests of the group, all of them, to its server. It belongs below `pinnedTo`. */
  readonly middleware: Middleware;
  /** Forgets which server it was: the next request finds it anew. For mailboxes that moved, and servers that are gone. */
  forget(): void;
}

/** What comes behind the last at sign holds none, or long texts of them would take their time. */
const ADDRESS = /^[\x21-\x7e]+@[\x21-\x3f\x41-\x7e]+$/;

/** Whether a text can name the mailbox by which the server of a group is found: it has to fit into a header. */
export function isAnchor(value: unknown): value is string {
  return typeof value === 'string' && ADDRESS.test(value);
}

/** Returns an anchor mailbox that can be used, and throws a TypeError for another. */
export function anchorOption(value: unknown): string {
  if (isAnchor(value)) return value;
  throw invalidOption('anchorMailbox', value, 'an SMTP address in visible ASCII characters');
}

/**
 * Creates a group of subscriptions that one mailbox server holds: behind a load balancer the others do not
 * know them, and answer that they do not exist.
 *
 * Each request carries `X-AnchorMailbox` and `X-PreferServerAffinity: true`, and each after the first the
 * cookies that the server has set: `X-BackEndOverrideCookie`, which names the server, and whatever else
 * load balancers and older versions of Exchange keep affinity by. They go to the origin that set them, with
 * requests of this group only. The first request goes alone, because only its answer names the server; the
 * others wait for it, and where it fails, or is not answered in 30 seconds, the next one is the first.
 *
 * In a browser the cookies are the browser's, one set for all groups: there, use one group only, with
 * credentials included. It throws a TypeError for what is no address. Page: "How to maintain affinity
 * between a group of subscriptions and the Mailbox server".
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { headersFrom, type Transport } from 'rxchange';
 * import { affinityGroup } from 'rxchange/ews';
 *
 * const farm: Transport = ({ url, headers }) => {
 *   console.log(headers?.['x-anchormailbox'], headers?.['cookie'] ?? 'no cookie');
 *   const set = { 'set-cookie': 'X-BackEndOverrideCookie=mbx1~1941996295; path=/; secure; HttpOnly' };
 *   return of({ status: 200, url, headers: headersFrom(set), body$: of() });
 * };
 * const group = affinityGroup({ anchorMailbox: 'alfred@contoso.com' });
 * const transport = group.middleware(farm);
 *
 * const request = { method: 'POST', url: 'https://mail.contoso.com/EWS/Exchange.asmx' };
 * transport(request).subscribe();
 * // prints: alfred@contoso.com no cookie
 * transport(request).subscribe();
 * // prints: alfred@contoso.com X-BackEndOverrideCookie=mbx1~1941996295
 * ```
 */
export function affinityGroup(options: AffinityOptions): AffinityGroup {
  const { anchorMailbox } = objectOption('options', options, { anchorMailbox: 1 });
  const affinity = { 'x-anchormailbox': anchorOption(anchorMailbox), 'x-preferserveraffinity': 'true' };
  const jar = cookieJar();
  const keepCookies = withCookies(jar);
  const first = firstAlone(({ status }) => status >= 200 && status < 300);

  return {
    anchorMailbox,
    middleware: (transport) => {
      const withAffinity = keepCookies(transport);
      return (request) => {
        const send = (): Observable<HttpResponse> =>
          withAffinity({ ...request, headers: { ...request.headers, ...affinity } });
        return first.send(send);
      };
    },
    forget: () => {
      jar.clear();
      first.forget();
    },
  };
}
