import type { Decoder as Codec } from 'io-ts';
import { of } from 'rxjs';
import { emittedBy } from './outcome.ts';
import { responseOf } from './chunks.ts';
import type { Decoder, Sample } from './sample.ts';
import {
  APPLICATION_RESOURCE,
  EVENT_RESPONSES,
  EVENTS,
  GROUP,
  REFUSAL,
  SUBSCRIPTION,
} from '../support/ucwa/messages.ts';
import { challengesIn } from '../../lib/core/auth/challenge.ts';
import { headersFrom } from '../../lib/core/transport/transport.ts';
import { oauthChallenge } from '../../lib/ucwa/auth/tokenClient.ts';
import { type ContactRel, fieldsIn } from '../../lib/ucwa/presence/contactState.ts';
import { advance } from '../../lib/ucwa/protocol/cursor.ts';
import { eventsResponseCodec } from '../../lib/ucwa/protocol/events.ts';
import { contactHrefKey, contactUriKey, keysOf } from '../../lib/ucwa/channel/eventRouter.ts';
import { FrameAnswer, readFrameMessage } from '../../lib/ucwa/transport/iframe.ts';
import { readHeaderLines } from '../../lib/ucwa/protocol/multipart.ts';
import { requestJson } from '../../lib/ucwa/protocol/request.ts';
import { decode } from '../../lib/core/decode.ts';
import {
  applicationCodec,
  embeddedIn,
  hrefOf,
  presenceSubscriptionCodec,
  type Resource,
  resourceCodec,
} from '../../lib/ucwa/protocol/resource.ts';

const CONTACT_RELS: readonly string[] = [
  ...['contactPresence', 'contactNote', 'contactLocation', 'contactSupportedModalities'],
];

/** Sends a request with a prepared response, like every request of UCWA. */
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

/** A property must come from the message, not from JavaScript. */
function mustBeOfMessage(resource: unknown): void {
  const isPlain = typeof resource === 'object' && Object.getPrototypeOf(resource) === Object.prototype;
  if (!isPlain) throw new Error('a resource came out that is not in the message');
}

const EVENT_SAMPLES = Object.entries(EVENT_RESPONSES).map(([name, answer]) =>
  asked(`the event channel's answer: ${name}`, answer, eventsResponseCodec, (response) => {
    const { batch } = advance({ url: EVENTS }, response);
    for (const event of batch.events) {
      const { resource, link } = event;
      keysOf(event);
      if (resource !== undefined) {
        mustBeOfMessage(resource);
        if (typeof resource['uri'] === 'string') contactUriKey(resource['uri']);
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
  read: (text) => [challengesIn(text), oauthChallenge(headersFrom({ 'www-authenticate': text }))],
};

/** The decoder of UCWA responses. */
export const UCWA_DECODER: Decoder = {
  name: 'UCWA',
  samples: [
    ...EVENT_SAMPLES,
    asked('the application', APPLICATION_RESOURCE, applicationCodec, useResource),
    asked('a presence subscription', SUBSCRIPTION, presenceSubscriptionCodec, useResource),
    asked('the contacts of a group', GROUP, resourceCodec, useResource),
    asked('a refusal', REFUSAL, resourceCodec, useResource, 404),
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
