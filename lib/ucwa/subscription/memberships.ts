import { map, type Observable } from 'rxjs';
import type { Transport } from '../../core/transport/transport.ts';
import { contactHrefKey } from '../channel/eventKeys.ts';
import { absolute, addressIn, hrefKey } from '../protocol/href.ts';
import { requestJson } from '../protocol/request.ts';
import { embeddedIn, hrefOf, resourceCodec } from '../protocol/resource.ts';

/** That a contact is in a presence subscription. [presenceSubscriptionMembership_ref] */
export interface Membership {
  /** Absolute; what is deleted to drop the contact. */
  readonly self: string | undefined;
  /** The key of the contact, by its href. */
  readonly contact: string;
  /** The contact's href, as it came. */
  readonly href: string;
  /** The address of the contact, in lower case, where a href says it. */
  readonly address: string | undefined;
}

/**
 * Returns an Observable that asks for the memberships of a presence subscription and emits them.
 * [presenceSubscriptionMemberships_ref]
 *
 * @param own The key of the subscription: the answer can have the memberships of others, too.
 */
export function memberships(
  transport: Transport,
  url: string,
  own: string,
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
        if (contact === undefined || (subscription !== undefined && hrefKey(subscription) !== own)) return [];
        const self = hrefOf(membership, 'self');
        const key = hrefKey(contact);
        return [
          {
            self: self === undefined ? undefined : absolute(self, base),
            contact: contactHrefKey(contact),
            href: contact,
            address: addressIn(key) ?? (self === undefined ? undefined : addressBehindComma(self)),
          },
        ];
      }),
    ),
  );
}

/** A membership's href ends with the id of the subscription, a comma, and the address of the contact. */
function addressBehindComma(self: string): string | undefined {
  const key = hrefKey(self);
  return addressIn(`/${key.slice(key.lastIndexOf(',') + 1)}`);
}
