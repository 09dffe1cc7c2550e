import { map, type Observable } from 'rxjs';
import type { Transport } from '../../core/transport/transport.ts';
import { contactHrefKey } from '../channel/eventRouter.ts';
import { absolute, addressIn, hrefKey } from '../protocol/href.ts';
import { requestJson } from '../protocol/request.ts';
import { embeddedIn, hrefOf, resourceCodec } from '../protocol/resource.ts';

/**
 * A contact of a presence subscription.
 *
 * @see [MS-UCWA] presenceSubscriptionMembership_ref
 */
export interface Membership {
  /** The link that removes the contact, absolute. */
  readonly self: string | undefined;
  /** The key of the contact by its href. */
  readonly contact: string;
  /** The href of the contact, as the server wrote it. */
  readonly href: string;
  /** The address of the contact in lower case; undefined if no href contains it. */
  readonly address: string | undefined;
}

/**
 * Returns an Observable that requests and emits the memberships of a presence subscription.
 *
 * @param subscriptionKey The key of the subscription. The response may contain memberships of others.
 *
 * @see [MS-UCWA] presenceSubscriptionMemberships_ref
 */
export function memberships(
  transport: Transport,
  url: string,
  subscriptionKey: string,
): Observable<readonly Membership[]> {
  return requestJson(
    transport,
    { method: 'GET', url },
    resourceCodec,
    'presenceSubscriptionMemberships',
  ).pipe(
    map(({ value, url: base }) =>
      embeddedIn(value, 'presenceSubscriptionMembership').flatMap((membership) => {
        const subscription = hrefOf(membership, 'presenceSubscription');
        const contact = hrefOf(membership, 'contact');
        if (
          contact === undefined ||
          (subscription !== undefined && hrefKey(subscription) !== subscriptionKey)
        )
          return [];
        const self = hrefOf(membership, 'self');
        const key = hrefKey(contact);
        return [
          {
            self: self === undefined ? undefined : absolute(self, base),
            contact: contactHrefKey(contact),
            href: contact,
            address: addressIn(key) ?? (self === undefined ? undefined : addressAfterComma(self)),
          },
        ];
      }),
    ),
  );
}

/** The href of a membership ends with the id of the subscription, a comma, and the address of the contact. */
function addressAfterComma(self: string): string | undefined {
  const key = hrefKey(self);
  return addressIn(`/${key.slice(key.lastIndexOf(',') + 1)}`);
}
