/** The href of the application. */
export const APPLICATION = '/ucwa/oauth/v1/applications/103a8f4e2b6d4c1f9e7a5d3b1c0f8e6a';

/** Returns the application, with the links that presence needs. */
export function applicationResource(): string {
  return JSON.stringify({
    rel: 'application',
    _links: { self: { href: APPLICATION }, events: { href: `${APPLICATION}/events?ack=1` } },
    _embedded: {
      people: {
        rel: 'people',
        _links: {
          self: { href: `${APPLICATION}/people` },
          presenceSubscriptions: { href: `${APPLICATION}/people/presenceSubscriptions` },
        },
      },
    },
  });
}

/** Returns the href of a contact. */
export function contactHref(contact: number): string {
  return `${APPLICATION}/people/user${String(contact).padStart(5, '0')}@contoso.com`;
}

/** Returns the href of the presence of a contact. */
export function presenceHref(contact: number): string {
  return `${contactHref(contact)}/presence`;
}

/** Returns a response of the event channel: one presence event per contact. */
export function eventsResponse(events: number, contacts: number): string {
  const sent = Array.from({ length: events }, (_, index) => event(index, index % contacts));
  return JSON.stringify({
    _links: {
      self: { href: `${APPLICATION}/events?ack=1` },
      next: { href: `${APPLICATION}/events?ack=2` },
    },
    sender: [{ rel: 'people', href: `${APPLICATION}/people`, events: sent }],
  });
}

function event(index: number, contact: number): object {
  const href = presenceHref(contact);
  return {
    link: { rel: 'contactPresence', href },
    in: { rel: 'contact', href: contactHref(contact), title: `User ${contact}` },
    type: 'updated',
    _embedded: {
      contactPresence: {
        rel: 'contactPresence',
        availability: index % 2 === 0 ? 'Online' : 'Away',
        activity: 'in-a-meeting',
        deviceType: 'Desktop',
        lastActive: `/Date(${1_763_800_000_000 + index})/`,
        _links: { self: { href } },
      },
    },
  };
}
