import { map, type Observable } from 'rxjs';
import type { Transport } from '../core/transport.ts';
import { hrefKey } from './href.ts';
import { requestJson } from './request.ts';
import { embeddedIn, hrefOf, resourceCodec } from './wire.ts';

/**
 * Returns an Observable that asks for the memberships of a presence subscription and emits the keys of its
 * contacts' hrefs. [presenceSubscriptionMemberships_ref]
 *
 * @param own The key of the subscription: the answer can have the memberships of others, too.
 */
export function members(transport: Transport, url: string, own: string): Observable<readonly string[]> {
  return requestJson(
    transport,
    { method: 'GET', url },
    resourceCodec,
    'presenceSubscriptionMemberships',
  ).pipe(
    map(({ value }) =>
      embeddedIn(value, 'presenceSubscriptionMembership').flatMap((membership) => {
        const subscription = hrefOf(membership, 'presenceSubscription');
        const contact = hrefOf(membership, 'contact');
        if (contact === undefined) return [];
        return subscription === undefined || hrefKey(subscription) === own ? [hrefKey(contact)] : [];
      }),
    ),
  );
}
