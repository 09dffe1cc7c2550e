import type { Decoder as Codec } from 'io-ts';
import { of } from 'rxjs';
import { emittedBy } from './outcome.ts';
import { responseOf } from './chunks.ts';
import type { Decoder, Sample } from './sample.ts';
import { challengesIn } from '../../lib/core/challenge.ts';
import { headersFrom } from '../../lib/core/transport.ts';
import { signInOffer } from '../../lib/ucwa/challenge.ts';
import { type ContactRel, fieldsIn } from '../../lib/ucwa/contactResources.ts';
import { advance } from '../../lib/ucwa/cursor.ts';
import { eventsResponseCodec } from '../../lib/ucwa/events.ts';
import { contactHrefKey, contactKey, filedUnder } from '../../lib/ucwa/filing.ts';
import { FrameAnswer, readFrameMessage } from '../../lib/ucwa/frameMessage.ts';
import { readHeaderLines } from '../../lib/ucwa/headerLines.ts';
import { requestJson } from '../../lib/ucwa/request.ts';
import { decode } from '../../lib/core/decode.ts';
import {
  applicationCodec,
  embeddedIn,
  hrefOf,
  presenceSubscriptionCodec,
  type Resource,
  resourceCodec,
} from '../../lib/ucwa/wire.ts';

const HOST = 'https://pool.contoso.com';
const APPLICATION = '/ucwa/oauth/v1/applications/101';
const EVENTS = `${HOST}${APPLICATION}/events?ack=1`;
const CONTACT_RELS: readonly string[] = [
  ...['contactPresence', 'contactNote', 'contactLocation', 'contactSupportedModalities'],
];

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

const EVENT_ANSWERS: Readonly<Record<string, object>> = {
  'a presence subscription that is gone': channel(
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
  'what came along, in lists': channel(
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
  'an operation that failed': channel(next, {
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
  'no event at all': { _links: next },
};

const application = {
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
const subscription = {
  ...{ id: '97b6bd66', rel: 'presenceSubscription' },
  _links: { self: { href: `${APPLICATION}/people/presenceSubscriptions/97b6bd66` } },
};
const group = {
  _links: { self: { href: `${APPLICATION}/groups/1/contacts` } },
  _embedded: {
    contact: ['sara', 'lene'].map((name) => ({
      ...{ uri: `sip:${name}@contoso.com`, name, rel: 'contact' },
      _links: { self: { href: `${APPLICATION}/people/${name}@contoso.com` } },
    })),
  },
};
const reason = {
  code: 'NotFound',
  subcode: 'ApplicationNotFound',
  message: 'It is not there.',
  link: { href: '/help' },
};

/** Asks with a prepared answer, as every request of UCWA does. */
function asked<Value>(
  name: string,
  answer: object,
  codec: Codec<unknown, Value>,
  use: (value: Value) => unknown,
  status = 200,
): Sample {
  return {
    name,
    text: JSON.stringify(answer),
    read: (text, random) => {
      const transport = () => of(responseOf(text, random, { status }));
      return emittedBy(requestJson(transport, { method: 'GET', url: EVENTS }, codec, name)).map(({ value }) =>
        use(value),
      );
    },
  };
}

function useResource(resource: Resource): unknown {
  const contacts = embeddedIn(resource, 'contact').map((contact) => hrefOf(contact, 'self') ?? '');
  return [hrefOf(resource, 'batch'), contacts.map(contactHrefKey)];
}

/** What came along must be of the message, and not of JavaScript. */
function mustBeOfMessage(resource: unknown): void {
  const isPlain = typeof resource === 'object' && Object.getPrototypeOf(resource) === Object.prototype;
  if (!isPlain) throw new Error('a resource came out that is not in the message');
}

const EVENT_SAMPLES = Object.entries(EVENT_ANSWERS).map(([name, answer]) =>
  asked(`the event channel's answer: ${name}`, answer, eventsResponseCodec, (response) => {
    const { batch } = advance({ url: EVENTS }, response);
    for (const event of batch.events) {
      const { resource, link } = event;
      filedUnder(event);
      if (resource !== undefined) {
        mustBeOfMessage(resource);
        if (typeof resource['uri'] === 'string') contactKey(resource['uri']);
        if (CONTACT_RELS.includes(link.rel)) fieldsIn(link.rel as ContactRel, resource);
      }
    }
    return batch;
  }),
);

const FRAME_SAMPLE: Sample = {
  name: 'a message of the frame',
  text: JSON.stringify({
    ...{ messageId: '1', status: 200, responseText: '{"a":1}' },
    headers: 'Content-Type: application/json\r\nSet-Cookie: a\r\n\r\nX: y\n',
  }),
  read: (text) => {
    const message = readFrameMessage(text);
    if (message === undefined) return undefined;
    return readHeaderLines(decode(FrameAnswer, 'frame')(message.answer).headers ?? '');
  },
};

const CHALLENGE_SAMPLE: Sample = {
  name: 'a challenge',
  text:
    'Bearer trusted_issuers="00000001@*", client_id="00000004", MsRtcOAuth href="https://pool.contoso.com/' +
    'webticket/oauthtoken", grant_type="urn:microsoft.rtc:windows,password\\" x" , Negotiate',
  read: (text) => [challengesIn(text), signInOffer(headersFrom({ 'www-authenticate': text }))],
};

/** What reads the JSON of UCWA. */
export const UCWA_DECODER: Decoder = {
  name: 'UCWA',
  samples: [
    ...EVENT_SAMPLES,
    asked('the application', application, applicationCodec, useResource),
    asked('a presence subscription', subscription, presenceSubscriptionCodec, useResource),
    asked('the contacts of a group', group, resourceCodec, useResource),
    asked('a refusal', reason, resourceCodec, useResource, 404),
    FRAME_SAMPLE,
    CHALLENGE_SAMPLE,
  ],
  wrappings: [
    ['[', ']'],
    ['{"_embedded":{"contact":', '}}'],
    ['{"a":', '}'],
  ],
  words: [
    ...[
      '"__proto__"',
      '"constructor"',
      '"toString"',
      '"\\ud800"',
      '"\\u0000"',
      '""',
      '"&amp;"',
      '"%zz"',
      '"%40"',
    ],
    ...['"//["', '"javascript:0"', '"http://[::1"', '"?;"', '{}', '[]', 'null', '1e999', '-0', ',', ':', '"'],
    ...[
      '"rel"',
      '"href"',
      '"link"',
      '"in"',
      '"self"',
      '"_links"',
      '"_embedded"',
      '"sender"',
      '"events"',
      '"uri"',
    ],
    ...[
      '"resync"',
      '"resume"',
      '"contact"',
      '"contactX"',
      '/Date(99999999999999999)/',
      'sip:;',
      '@',
      '?',
      '#',
    ],
  ],
};
