import { expect } from 'chai';
import fc from 'fast-check';
import { throwError } from 'rxjs';
import { SaxesParser } from 'saxes';
import { NetworkError } from '../../lib/core/errors.ts';
import type { HttpRequest, Transport } from '../../lib/core/transport/transport.ts';
import {
  getEventsEnvelope,
  getStreamingEventsEnvelope,
  subscribeEnvelope,
  unsubscribeEnvelope,
} from '../../lib/ews/protocol/envelope.ts';
import { poxRequest } from '../../lib/ews/discovery/pox.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { writeBatch } from '../../lib/ucwa/protocol/multipart.ts';
import { presence } from '../../lib/ucwa/presence/presence.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { existingApplication } from '../../lib/ucwa/discovery/server.ts';

/** Texts with markup, line breaks or headers. */
const evil = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        ...[
          '\r\n',
          '\n',
          '\0',
          '"',
          "'",
          '<',
          '>',
          '/>',
          '</',
          ']]>',
          '<![CDATA[',
          '<!--',
          '-->',
          '&',
          '&amp;',
          '<?x?>',
        ],
        ...[
          '<!DOCTYPE a>',
          'host: evil.example',
          'GET / HTTP/1.1',
          '--rxchange-1',
          '--',
          ':',
          ' ',
          'a',
          '@',
          '\u2028',
        ],
      ),
    )
    .map((parts) => parts.join('')),
);

const RUNS = { numRuns: 200 };

/** Returns the elements of an XML text in order, and its values. */
function read(xml: string): { readonly names: string[]; readonly values: string[] } {
  const names: string[] = [];
  const values: string[] = [];
  let text = '';
  const parser = new SaxesParser();
  parser.on('opentag', ({ name, attributes }) => {
    names.push(name);
    values.push(...Object.values(attributes));
    text = '';
  });
  parser.on('text', (part) => (text += part));
  parser.on('closetag', () => {
    if (text !== '') values.push(text);
    text = '';
  });
  for (const other of ['cdata', 'comment', 'doctype'] as const) parser.on(other, () => names.push(other));
  parser.write(xml).close();
  return { names, values };
}

/** Returns the text that a function writes, or undefined if it throws a TypeError. */
function writtenBy(write: () => string): string | undefined {
  try {
    return write();
  } catch (error) {
    expect(error).to.be.instanceOf(TypeError);
    return undefined;
  }
}

type Writer = (text: string) => string;
const head = { version: 'Exchange2013_SP1' };
const base = { folders: undefined, events: ['newMail'] } as const;
const pull = { ...base, type: 'pull', watermark: undefined, timeoutMinutes: 30 } as const;

const writers: readonly (readonly [string, Writer])[] = [
  ['version', (text) => unsubscribeEnvelope({ version: text }, 'S')],
  ['impersonate.sid', (sid) => unsubscribeEnvelope({ ...head, impersonate: { sid } }, 'S')],
  [
    'impersonate.principalName',
    (principalName) => unsubscribeEnvelope({ ...head, impersonate: { principalName } }, 'S'),
  ],
  [
    'impersonate.primarySmtpAddress',
    (primarySmtpAddress) => unsubscribeEnvelope({ ...head, impersonate: { primarySmtpAddress } }, 'S'),
  ],
  [
    'impersonate.smtpAddress',
    (smtpAddress) => unsubscribeEnvelope({ ...head, impersonate: { smtpAddress } }, 'S'),
  ],
  ['a folder by its name', (text) => subscribeEnvelope(head, { ...pull, folders: [text] })],
  ['a folder by its id', (id) => subscribeEnvelope(head, { ...pull, folders: [{ id }] })],
  ['a change key', (changeKey) => subscribeEnvelope(head, { ...pull, folders: [{ id: 'A', changeKey }] })],
  [
    'a folder of a mailbox',
    (text) => subscribeEnvelope(head, { ...pull, folders: [{ distinguished: text, mailbox: 'a@b.c' }] }),
  ],
  [
    'a mailbox',
    (mailbox) => subscribeEnvelope(head, { ...pull, folders: [{ distinguished: 'inbox', mailbox }] }),
  ],
  ['a watermark to begin at', (watermark) => subscribeEnvelope(head, { ...pull, watermark })],
  [
    'a callback URL',
    (callbackUrl) =>
      subscribeEnvelope(head, {
        ...base,
        type: 'push',
        watermark: undefined,
        statusFrequencyMinutes: 1,
        callbackUrl,
      }),
  ],
  ['the id of GetEvents', (id) => getEventsEnvelope(head, id, 'W')],
  ['the watermark of GetEvents', (watermark) => getEventsEnvelope(head, 'S', watermark)],
  ['an id of GetStreamingEvents', (id) => getStreamingEventsEnvelope(head, ['S', id], 30)],
  ['the id of Unsubscribe', (id) => unsubscribeEnvelope(head, id)],
  ['an address of Autodiscover', poxRequest],
];

describe('XML injection', () => {
  for (const [name, write] of writers) {
    it(`is impossible through ${name}`, () => {
      const { names } = read(write('plain'));
      fc.assert(
        fc.property(evil, (text) => {
          const xml = writtenBy(() => write(text));
          if (xml === undefined) return;
          const found = read(xml);
          expect(found.names).to.deep.equal(names);
          if (text !== '') expect(found.values).to.include(text);
        }),
        RUNS,
      );
    });
  }
});

/** The requests that were sent to a server that is down. */
function sentBy(use: (transport: Transport) => void): HttpRequest[] {
  const sent: HttpRequest[] = [];
  try {
    use((request) => {
      sent.push(request);
      return throwError(() => new NetworkError('no answer', request, { code: 'ECONNREFUSED' }));
    });
  } catch (error) {
    expect(error).to.be.instanceOf(TypeError);
  }
  return sent;
}

function expectOneRequest({ method, url, headers = {} }: HttpRequest, origin: string): void {
  expect(method).to.match(/^[A-Z]+$/);
  expect(new URL(url).origin).to.equal(origin);
  expect(url).to.match(/^[\x21-\x7e]+$/);
  for (const [name, value] of Object.entries(headers)) {
    expect(name).to.match(/^[a-z\d-]+$/);
    expect(value).to.match(/^[\x20-\x7e]*$/);
  }
}

const ORIGIN = 'https://pool.contoso.com';
const exchangeUrl = `${ORIGIN}/EWS/Exchange.asmx`;
/** Without retries, so that nothing is left after a spec. */
const once = { retry: { retries: 0 } };
const watch = (options: object, transport: Transport): void => {
  const exchange = connectExchange({ server: exchangeUrl, transport, ...once, ...options });
  pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }).subscribe({
    error: () => undefined,
  });
};

const senders: readonly (readonly [string, (text: string, transport: Transport) => void])[] = [
  ['token', (token, transport) => watch({ token }, transport)],
  ['token of a provider', (token, transport) => watch({ token: () => [token] }, transport)],
  ['basic.username', (username, transport) => watch({ basic: { username, password: 'p' } }, transport)],
  ['basic.password', (password, transport) => watch({ basic: { username: 'u', password } }, transport)],
  ['anchorMailbox', (anchorMailbox, transport) => watch({ anchorMailbox }, transport)],
  ['impersonate', (smtpAddress, transport) => watch({ impersonate: { smtpAddress } }, transport)],
  [
    'culture, endpointId, userAgent and instanceId',
    (text, transport) => {
      for (const name of ['culture', 'endpointId', 'userAgent', 'instanceId']) {
        sentBy(() =>
          connectUcwa({
            server: `${ORIGIN}/a`,
            auth: bearer('t'),
            transport,
            ...once,
            [name]: text,
          }).events$.subscribe({
            error: () => undefined,
          }),
        );
      }
    },
  ],
  [
    'uris',
    (uri, transport) =>
      presence(
        connectUcwa({ server: existingApplication(`${ORIGIN}/a/1`), auth: bearer('t'), transport, ...once }),
        {
          uris: [uri],
        },
      ).subscribe({
        error: () => undefined,
      }),
  ],
  [
    'a link',
    (href, transport) =>
      connectUcwa({ server: existingApplication(`${ORIGIN}/a/1`), auth: bearer('t'), transport, ...once })
        .get({ href })
        .subscribe({ error: () => undefined }),
  ],
];

describe('Header and request splitting', () => {
  for (const [name, send] of senders) {
    it(`is impossible through ${name}`, () => {
      fc.assert(
        fc.property(evil, (text) => {
          const sent = sentBy((transport) => send(text, transport));
          for (const request of sent) expectOneRequest(request, ORIGIN);
        }),
        RUNS,
      );
    });
  }

  it('is impossible in a batch, which has one part per request', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ step: evil, body: evil }), { minLength: 1, maxLength: 4 }),
        (texts) => {
          const requests = texts.map(({ step, body }) => ({
            method: 'POST',
            url: new URL(`/a?${new URLSearchParams({ step })}`, ORIGIN).href,
            body,
          }));
          const { contentType, body } = writeBatch(requests);
          const boundary = contentType.slice(contentType.indexOf('=') + 1);
          const parts = body.split(`--${boundary}`);
          expect(parts).to.have.length(requests.length + 2);
          expect(parts.at(-1)).to.equal('--\r\n');
        },
      ),
      RUNS,
    );
  });
});
