import { basic } from '../../lib/ews/auth/basic.ts';
import { expect } from 'chai';
import fc from 'fast-check';
import { type Observable, of } from 'rxjs';
import { fetchTransport } from '../../lib/core/transport/fetch.ts';
import { restrictToOrigin } from '../../lib/core/transport/restrictToOrigin.ts';
import { headersFrom, type HttpResponse, type Transport } from '../../lib/core/transport/transport.ts';
import { lookUp } from '../ews/discovery/lookUp.ts';
import { soapCall } from '../../lib/ews/protocol/soap.ts';
import { answersOf } from '../../lib/ucwa/batch/message.ts';
import { discover } from '../ucwa/discovery/discover.ts';
import { EndedError } from '../../lib/ucwa/protocol/errors.ts';
import { eventsResponseCodec } from '../../lib/ucwa/protocol/events.ts';
import { requestJson, requestNothing } from '../../lib/ucwa/protocol/request.ts';
import { password } from '../../lib/ucwa/auth/signIn.ts';
import { requestToken } from '../../lib/ucwa/auth/tokenEndpoint.ts';
import { answer, envelope, errorAnswer } from '../ews/answers.ts';
import { expectHarmless } from '../support/errorTexts.ts';
import { response } from '../support/responses.ts';

/** Texts that harm a terminal or a log, or are too long for them. */
const harmful = fc.oneof(
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 300 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme' }) },
  {
    weight: 2,
    arbitrary: fc
      .array(
        fc.constantFrom(
          '\u001b[2J',
          '\u009b31m',
          '\u001b]0;title\u0007',
          '\r\n',
          '\u2028',
          '\u202e',
          '\ud83d',
          '?key=',
          '#',
          '"',
          'ErrorServerBusy',
          'a',
          ' ',
          ', ',
        ),
        { maxLength: 12 },
      )
      .map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.constantFrom('x', '\u009b', '\u202ea', '/').map((one) => one.repeat(100_000)) },
);

const JSON_TYPE = { 'content-type': 'application/json' };
const XML_TYPE = { 'content-type': 'text/xml' };
const URL_OF_POOL = 'https://pool.contoso.com/ucwa';

const serving =
  (answered: HttpResponse): Transport =>
  () =>
    of(answered);

const json = (status: number, body: unknown): HttpResponse =>
  response(status, { headers: JSON_TYPE, body: [JSON.stringify(body)] });

const ucwa = (answered: HttpResponse): Observable<unknown> =>
  requestJson(serving(answered), { method: 'GET', url: URL_OF_POOL }, eventsResponseCodec, 'events');

const exchangeUrl = 'https://mail.contoso.com/EWS/Exchange.asmx';
const ews = (status: number, body: string, headers = XML_TYPE): Observable<unknown> =>
  soapCall(serving(response(status, { headers, body: [body] })), {
    operation: 'Subscribe',
    url: exchangeUrl,
    envelope: '<x/>',
  });

/** Returns a text in the form that XML allows. */
const xml = (text: string): string =>
  text
    .replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '')
    .replace(/[&<>"]/g, (special) => `&#${special.charCodeAt(0)};`);

/** Returns a text as an element name, without the letters that XML does not allow there. */
const nameIn = (text: string): string => `a${text.replace(/[^\p{L}\p{N}]/gu, '')}`;

const fault = (code: string, text: string, detail = ''): string =>
  envelope(
    `<s:Fault><faultcode>${code}</faultcode><faultstring>${text}</faultstring><detail>${detail}</detail></s:Fault>`,
  );

const values = (name: string, text: string): string =>
  `<m:MessageXml><t:Value Name="${name}">${text}</t:Value><t:Violation>${text}</t:Violation></m:MessageXml>`;

const autodiscover = (answered: HttpResponse, options: object = {}): Observable<unknown> =>
  lookUp('sara@contoso.com', { transport: serving(answered), ...options });

const pox = (content: string): HttpResponse =>
  response(200, {
    headers: XML_TYPE,
    body: [`<Autodiscover><Response>${content}</Response></Autodiscover>`],
  });

const sara = password({ username: 'sara@contoso.com', password: 'hush' });

const found = (answered: HttpResponse): Observable<unknown> =>
  discover({ domain: 'contoso.com', auth: sara, transport: serving(answered), retry: { retries: 0 } })
    .location$;

/** The positions of a text in a response, with the requests that read them. */
const positions: readonly (readonly [string, (text: string) => Observable<unknown>])[] = [
  ['the code of a UCWA error', (code) => ucwa(json(404, { code }))],
  ['the subcode of a UCWA error', (subcode) => ucwa(json(403, { code: 'Forbidden', subcode }))],
  ['the message of a UCWA error', (message) => ucwa(json(409, { code: 'Conflict', message }))],
  ['a key of JSON', (key) => ucwa(json(200, { _links: {}, sender: { [key]: 1 } }))],
  [
    'a key on the way to an error',
    (key) => {
      const sender = { rel: 'a', href: '/a', events: [{ [key]: 1 }] };
      return ucwa(json(200, { _links: {}, sender: [sender] }));
    },
  ],
  ['a value of JSON', (value) => ucwa(json(200, { _links: value }))],
  [
    'the content type of a UCWA answer',
    (type) => ucwa(response(200, { headers: { 'content-type': `${type}x` } })),
  ],
  [
    'the content type of an empty answer',
    (type) =>
      requestNothing(
        serving(response(200, { headers: { 'content-type': `xml${type}` } })),
        { method: 'DELETE', url: URL_OF_POOL },
        'presence',
      ),
  ],
  [
    'the content type of a batch',
    (type) =>
      answersOf(
        [{ method: 'GET', url: URL_OF_POOL }],
        response(200, { headers: { 'content-type': type } }),
        '',
      )[0]!,
  ],
  ['a fault code', (code) => ews(500, fault(xml(code), 'x'))],
  ['a fault string', (text) => ews(500, fault('a:ErrorX', xml(text)))],
  [
    'the detail of a fault',
    (text) =>
      ews(
        500,
        fault('x', 'x', `<e:ResponseCode>${xml(text)}</e:ResponseCode><e:Message>${xml(text)}</e:Message>`),
      ),
  ],
  ['a ResponseCode', (code) => ews(200, errorAnswer('Subscribe', xml(code)))],
  ['a MessageText', (text) => ews(200, errorAnswer('Subscribe', 'ErrorServerBusy', xml(text)))],
  [
    'a value of MessageXml',
    (text) => ews(200, errorAnswer('Subscribe', 'ErrorX', 'x', values('a', xml(text)))),
  ],
  [
    'a name in MessageXml',
    (text) => ews(200, errorAnswer('Subscribe', 'ErrorX', 'x', values(xml(text), 'a'))),
  ],
  ['the name of a root element', (text) => ews(200, `<${nameIn(text)}/>`)],
  ['the name of an element that is not open', (text) => ews(200, `<a></${nameIn(text)}></a>`)],
  ['the name of an operation', (text) => ews(200, answer(nameIn(text), ''))],
  ['the content type of a SOAP answer', (type) => ews(200, '', { 'content-type': `x${type}` })],
  ['an error code of Autodiscover in JSON', (ErrorCode) => autodiscover(json(200, { ErrorCode }))],
  [
    'an error code of Autodiscover in XML',
    (code) => autodiscover(pox(`<Error><ErrorCode>${xml(code)}</ErrorCode></Error>`)),
  ],
  ['a URL of Autodiscover', (text) => autodiscover(json(200, { Url: `https://${text}/EWS` }))],
  [
    'a redirect of Autodiscover',
    (text) => autodiscover(response(302, { headers: { location: `https://a${text}.evil.test/` } })),
  ],
  [
    'an address of Autodiscover',
    (text) => autodiscover(pox(`<Account><RedirectAddr>a@${xml(text)}.test</RedirectAddr></Account>`)),
  ],
  [
    'a scheme that Autodiscover offers',
    (scheme) =>
      autodiscover(response(401, { headers: { 'www-authenticate': scheme } }), {
        auth: basic({ username: 'sara', password: 'hush' }),
      }),
  ],
  [
    'the answer of a token endpoint',
    (text) => requestToken(serving(json(200, text)), { url: URL_OF_POOL, signIn: sara }),
  ],
  [
    'the token of a token endpoint',
    (text) => requestToken(serving(json(200, { access_token: [text] })), { url: URL_OF_POOL, signIn: sara }),
  ],
  [
    'a URL that a fault quotes',
    (text) => ews(500, fault('a:ErrorX', xml(`The value 'https://me.test/n?${text}' is invalid`))),
  ],
  [
    'the error of a token endpoint',
    (error) => requestToken(serving(json(400, { error })), { url: URL_OF_POOL, signIn: sara }),
  ],
  [
    'the page of a token endpoint',
    (text) =>
      requestToken(
        serving(json(400, { error: 'invalid_grant', ms_rtc_passiveauthuri: `https://a.test/${text}` })),
        { url: URL_OF_POOL, signIn: sara },
      ),
  ],
  [
    'the grant types of UCWA',
    (text) =>
      requestToken(serving(json(400, { error: 'unsupported_grant_type' })), {
        url: URL_OF_POOL,
        signIn: sara,
        grantTypes: [text, text],
      }),
  ],
  [
    'a scheme that UCWA offers',
    (scheme) => found(response(401, { headers: { 'www-authenticate': scheme } })),
  ],
  ['a link of UCWA', (href) => found(json(200, { _links: { user: { href: `https://evil.test/${href}` } } }))],
  ['a host of UCWA', (host) => found(json(200, { _links: { user: { href: `https://${host}` } } }))],
  [
    'a redirect of UCWA',
    (text) => found(response(302, { headers: { location: `https://evil.test/${text}` } })),
  ],
  [
    'a redirect within an origin',
    (text) =>
      restrictToOrigin(URL_OF_POOL)(
        serving(response(302, { headers: { location: `https://a${text}.test/` } })),
      )({
        method: 'GET',
        url: `${URL_OF_POOL}/${text}`,
      }),
  ],
  [
    'the error of a fetch',
    (text) =>
      fetchTransport(() => {
        throw Object.assign(new Error(text, { cause: new Error(text) }), {
          name: text,
          code: text,
          input: text,
        });
      })({ method: 'GET', url: `${URL_OF_POOL}?${text}` }),
  ],
];

/** Returns the error of an Observable that errors at once or within a few turns of the event loop. */
async function errorOf(source$: Observable<unknown>): Promise<unknown> {
  return new Promise((resolve) => {
    source$.subscribe({ error: resolve, complete: () => resolve(undefined) });
  });
}

describe('A text of a server', () => {
  for (const [name, ask] of positions) {
    it(`harms no terminal and no log: ${name}`, async () => {
      let errors = 0;
      await fc.assert(
        fc.asyncProperty(harmful, async (text) => {
          const error = await errorOf(ask(text));
          if (error === undefined) return;
          errors += 1;
          expectHarmless(error);
        }),
        { numRuns: 60 },
      );
      expect(errors).to.be.above(0);
    });
  }

  it('harms no terminal and no log as href of an ended subscription', () => {
    fc.assert(
      fc.property(harmful, (text) =>
        expectHarmless(new EndedError('application', `/a/${text}`, 'it is over')),
      ),
    );
  });

  it('is not used as a code if it is not a word', async () => {
    const transport: Transport = ({ url }) =>
      of({ ...json(404, { code: 'Not\u001bFound', subcode: 'a b' }), url, headers: headersFrom(JSON_TYPE) });
    const error = await errorOf(
      requestJson(transport, { method: 'GET', url: URL_OF_POOL }, eventsResponseCodec, 'events'),
    );
    expect(error).to.include({ status: 404, code: undefined, subcode: undefined });
    expect(await errorOf(ews(200, errorAnswer('Subscribe', 'Error Server Busy')))).to.include({ code: '' });
  });
});
