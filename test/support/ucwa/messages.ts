/** Messages of UCWA as documented. */

const HOST = 'https://pool.contoso.com';
const APPLICATION = '/ucwa/oauth/v1/applications/101';
/** The URL of the event channel of these messages. */
export const EVENTS: string = `${HOST}${APPLICATION}/events?ack=1`;
const link = (rel: string, path: string, title?: string): object => ({
  ...{ rel, href: `${APPLICATION}/${path}` },
  ...(title === undefined ? {} : { title }),
});
const people = (...events: object[]): object => ({ rel: 'people', href: `${APPLICATION}/people`, events });
const channel = (links: object, ...sender: object[]): object => ({
  _links: { self: { href: `${APPLICATION}/events?ack=1` }, ...links },
  sender,
});
const next = { next: { href: `${APPLICATION}/events?ack=2` } };

/** Responses of the event channel by their content. */
export const EVENT_RESPONSES: Readonly<Record<string, object>> = {
  'an ended presence subscription': channel(
    next,
    people(
      {
        link: link('contact', 'people/sara@contoso.com'),
        in: link('subscribedContacts', 'people/subscribedContacts'),
        type: 'deleted',
      },
      { link: link('presenceSubscription', 'people/presenceSubscriptions/97b6bd66'), type: 'deleted' },
    ),
  ),
  'the state of a contact': channel(
    next,
    people(
      ...Object.entries({
        contactPresence: { availability: 'Away', activity: 'off', lastActive: '/Date(1763800000000)/' },
        contactNote: { message: 'Back at ten', type: 'Personal' },
        contactLocation: { location: 'Aarhus' },
        contactSupportedModalities: { modalities: ['Messaging', 'Audio'] },
      }).map(([rel, state]) => ({
        link: link(rel, `people/sara@contoso.com/${rel}`),
        in: link('contact', 'people/sara@contoso.com', 'Sara'),
        type: 'updated',
        _embedded: {
          [rel]: {
            rel,
            ...state,
            _links: { self: { href: `${APPLICATION}/people/sara@contoso.com/${rel}` } },
          },
        },
      })),
    ),
  ),
  'embedded lists': channel(
    next,
    {
      ...link('communication', 'communication'),
      events: [
        {
          link: link('communication', 'communication'),
          type: 'updated',
          _embedded: {
            communication: [
              {
                '56de7bbf-1081-43e6-bbf2-1cabf3224c83': 'please pass this in a PUT request',
                etag: '2943169141',
                supportedModalities: ['Messaging'],
                _links: {
                  self: [{ href: `${APPLICATION}/communication` }],
                  conversations: { href: `${APPLICATION}/communication/conversations?filter=active&amp;a=b` },
                },
              },
              { _links: { self: { href: '/other' } }, _embedded: { inner: { etag: '1' } } },
            ],
          },
        },
      ],
    },
    { ...link('me', 'me'), events: [{ link: link('note', 'me/note'), type: 'added' }] },
  ),
  'a failed operation': channel(next, {
    ...link('communication', 'communication'),
    events: [
      {
        link: link('messagingInvitation', 'communication/messagingInvitations/i1'),
        type: 'completed',
        status: 'Failure',
        reason: {
          code: 'RemoteFailure',
          subcode: 'DeclinedByRecipient',
          message: 'The invitation was declined.',
          link: { href: '/help', title: 'More' },
          parameters: [{ name: 'to', reason: 'x' }],
          debugInfo: { diagnosticsCode: '51004' },
        },
      },
    ],
  }),
  'a loss of state': channel({ resume: { href: `${APPLICATION}/events?ack=3` } }),
  'a loss of events': channel({ resync: { href: `${HOST}${APPLICATION}/events?ack=4&sync=true` } }, people()),
  'no event': { _links: next },
};

/** The resource `application`. */
export const APPLICATION_RESOURCE: object = {
  ...{ culture: 'en-US', userAgent: 'test', etag: '1', rel: 'application' },
  _links: Object.fromEntries(
    ['self', 'policies', 'batch', 'events'].map((rel) => [rel, { href: `${APPLICATION}/${rel}` }]),
  ),
  _embedded: {
    me: {
      ...{ name: 'Lene', uri: 'sip:lene@contoso.com', rel: 'me', emailAddresses: ['lene@contoso.com'] },
      _links: { self: { href: `${APPLICATION}/me` }, makeMeAvailable: { href: `${APPLICATION}/me/avail` } },
    },
    people: { _links: { presenceSubscriptions: { href: `${APPLICATION}/people/presenceSubscriptions` } } },
  },
};
/** The resource `presenceSubscription`. */
export const SUBSCRIPTION: object = {
  ...{ id: '97b6bd66', rel: 'presenceSubscription' },
  _links: { self: { href: `${APPLICATION}/people/presenceSubscriptions/97b6bd66` } },
};
/** The contacts of a group. */
export const GROUP: object = {
  _links: { self: { href: `${APPLICATION}/groups/1/contacts` } },
  _embedded: {
    contact: ['sara', 'lene'].map((name) => ({
      ...{ uri: `sip:${name}@contoso.com`, name, rel: 'contact' },
      _links: { self: { href: `${APPLICATION}/people/${name}@contoso.com` } },
    })),
  },
};
/** The body of an error. */
export const REFUSAL: object = {
  code: 'NotFound',
  subcode: 'ApplicationNotFound',
  message: 'It is not there.',
  link: { href: '/help' },
};
