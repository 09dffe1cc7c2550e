import { pathSegment } from './contacts.ts';
import type { StoredSubscription, SimulatedApplication } from './model.ts';

/** Returns the resource `people`. */
export function peopleResource({ href }: SimulatedApplication): object {
  const link = (segment: string): object => ({ href: `${href}/people/${segment}` });
  return {
    rel: 'people',
    _links: {
      self: { href: `${href}/people` },
      presenceSubscriptions: link('presenceSubscriptions'),
      presenceSubscriptionMemberships: link('presenceSubscriptionMemberships'),
      subscribedContacts: link('subscribedContacts'),
      myContacts: link('contacts'),
      myContactsAndGroupsSubscription: link('myContactsAndGroupsSubscription'),
      myGroups: { href: `${href}/groups` },
    },
  };
}

/** Returns the resource `application` with its embedded resources. */
export function applicationResource(application: SimulatedApplication): object {
  const { href, identity, queue, id } = application;
  return {
    ...identity,
    id,
    type: 'Browser',
    _links: {
      self: { href },
      batch: { href: `${href}/batch` },
      events: { href: queue.link },
      policies: { href: `${href}/policies` },
    },
    _embedded: {
      me: meResource(application),
      people: peopleResource(application),
      communication: plainResource(application, 'communication'),
      onlineMeetings: plainResource(application, 'onlineMeetings'),
    },
    rel: 'application',
  };
}

/** The linked resources that have no content on this server. */
export const PLAIN_RESOURCES: ReadonlySet<string> = new Set(['communication', 'onlineMeetings', 'policies']);

/** Returns one of the {@link PLAIN_RESOURCES}, which has only a link to itself. */
export function plainResource({ href }: SimulatedApplication, rel: string): object {
  return { rel, _links: { self: { href: `${href}/${rel}` } } };
}

/**
 * Returns the resource `me`; it links to makeMeAvailable until the user is available.
 *
 * @see [MS-UCWA] me_ref
 */
export function meResource({ href, published }: SimulatedApplication): object {
  const makeMeAvailable =
    published.availability === undefined
      ? { makeMeAvailable: { href: `${href}/communication/makeMeAvailable` } }
      : {};
  return {
    rel: 'me',
    uri: 'sip:lene@contoso.com',
    name: 'Lene',
    _links: {
      self: { href: `${href}/me` },
      ...makeMeAvailable,
      presence: { href: `${href}/me/presence` },
      reportMyActivity: { href: `${href}/reportMyActivity` },
    },
  };
}

/** Returns the subscription to the user's contacts and groups. */
export function contactsAndGroupsResource({
  href,
  contactsAndGroupsExpiresAt,
}: SimulatedApplication): object {
  const self = `${href}/people/myContactsAndGroupsSubscription`;
  const link = (name: string): object => ({ [name]: { href: `${self}/${name}` } });
  return {
    rel: 'myContactsAndGroupsSubscription',
    state: contactsAndGroupsExpiresAt === undefined ? 'Disconnected' : 'Connected',
    _links: {
      self: { href: self },
      ...link('startOrRefreshSubscriptionToContactsAndGroups'),
      ...link('stopSubscriptionToContactsAndGroups'),
    },
  };
}

/** Returns the memberships of these subscriptions. */
export function membershipsResource(
  application: SimulatedApplication,
  subscriptions: readonly StoredSubscription[],
  query: string,
): object {
  return {
    rel: 'presenceSubscriptionMemberships',
    _links: { self: { href: `${application.href}/people/presenceSubscriptionMemberships${query}` } },
    _embedded: {
      presenceSubscriptionMembership: subscriptions.flatMap(({ id, members }) =>
        [...members].map((address) => membershipResource(application, id, address)),
      ),
    },
  };
}

/** Returns the membership of a contact in a subscription. */
export function membershipResource(application: SimulatedApplication, id: string, address: string): object {
  const all = `${application.href}/people/presenceSubscriptionMemberships`;
  return {
    rel: 'presenceSubscriptionMembership',
    _links: {
      self: { href: `${all}/${id},${pathSegment(address)}` },
      contact: { href: application.contactHref(address) },
      presenceSubscription: { href: application.subscriptionHref(id) },
    },
  };
}

/** Returns the contacts of all subscriptions, each once. */
export function subscribedContactsResource(application: SimulatedApplication): object {
  const addresses = new Set([...application.subscriptions.values()].flatMap(({ members }) => [...members]));
  return {
    rel: 'subscribedContacts',
    _links: {
      self: { href: `${application.href}/people/subscribedContacts` },
      contact: [...addresses].map((address) => ({ href: application.contactHref(address) })),
    },
  };
}

/** Returns all presence subscriptions of an application. */
export function subscriptionsResource(application: SimulatedApplication): object {
  return {
    rel: 'presenceSubscriptions',
    _links: { self: { href: `${application.href}/people/presenceSubscriptions` } },
    _embedded: {
      presenceSubscription: [...application.subscriptions.keys()].map((id) =>
        subscriptionResource(application, id),
      ),
    },
  };
}

/** Returns the resource `presenceSubscription`. */
export function subscriptionResource(application: SimulatedApplication, id: string): object {
  const memberships = {
    href: `${application.href}/people/presenceSubscriptionMemberships?presenceSubscriptionId=${id}`,
  };
  const self = { href: application.subscriptionHref(id) };
  return {
    id,
    _links: {
      ...{ self, memberships },
      ...(application.subscriptions.get(id)?.isOfGroup === true
        ? {}
        : { addToPresenceSubscription: memberships }),
    },
    rel: 'presenceSubscription',
  };
}
