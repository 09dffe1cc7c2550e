import { NEVER, of, timer } from 'rxjs';
import { retryAfterMs } from '../../../lib/core/backoff/backoff.ts';
import { hostName } from '../../../lib/core/hosts.ts';
import { contactKey, normalHref } from '../../../lib/core/href.ts';
import { httpUrl } from '../../../lib/core/httpUrl.ts';
import { codeWord, describeUrl, excerpt, mediaType, originOf } from '../../../lib/core/text.ts';
import { challengesIn } from '../../../lib/core/auth/challenge.ts';
import { requestLog } from '../../../lib/core/transport/requestLog.ts';
import { restrictToOrigin } from '../../../lib/core/transport/restrictToOrigin.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../../lib/core/transport/transport.ts';
import { cookieJar } from '../../../lib/core/transport/withCookies.ts';
import { stepResult } from '../../../lib/ews/discovery/stepResult.ts';
import { readPoxResponse } from '../../../lib/ews/discovery/pox.ts';
import { mailAddress } from '../../../lib/ews/discovery/search.ts';
import { timestampOf } from '../../../lib/ews/protocol/eventSchema.ts';
import { messageParser } from '../../../lib/ews/protocol/parser.ts';
import { isXml } from '../../../lib/ews/protocol/soap.ts';
import { streamingParser } from '../../../lib/ews/protocol/streamParser.ts';
import { secretIn } from '../../../lib/ews/push/pushRequest.ts';
import { oauthChallenge } from '../../../lib/ucwa/auth/tokenClient.ts';
import { password } from '../../../lib/ucwa/auth/signIn.ts';
import { requestToken } from '../../../lib/ucwa/auth/tokenEndpoint.ts';
import { decideBatch } from '../../../lib/ucwa/batch/decision.ts';
import { contactHrefKey, keysOf } from '../../../lib/ucwa/channel/eventRouter.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import { trustedHosts, trustedUrl } from '../../../lib/ucwa/discovery/steps.ts';
import { fieldsIn } from '../../../lib/ucwa/presence/contactState.ts';
import { absolute, addressOf } from '../../../lib/ucwa/protocol/href.ts';
import { readBatch, readHeaderLines } from '../../../lib/ucwa/protocol/multipart.ts';
import { reasonIn } from '../../../lib/ucwa/protocol/request.ts';
import { readFrameMessage } from '../../../lib/ucwa/transport/iframe.ts';
import { inVirtualTime } from '../virtualTime.ts';
import { type Reader, reader } from './reader.ts';
import { response } from '../responses.ts';
import { existingApplication } from '../../../lib/ucwa/discovery/server.ts';

const ORIGIN = 'https://pool.contoso.com';
const APPLICATION = `${ORIGIN}/ucwa/oauth/v1/applications/1`;
const TRUST = trustedHosts('contoso.com', [], []);
const PART = '--x\r\n\r\nHTTP/1.1 200 OK\r\n';
const HTTP_URLS = ['', 'https://', `${ORIGIN}/`, `${ORIGIN}/?a=`, 'https://a@'];
const HREFS = [...HTTP_URLS, '/', '/people/', '/people/a@b', '/events?ack='];
const XML = ['', '<', '<a b="', '<a>', '<!--', '<?xml ', '<a><![CDATA[', '<Envelope>'];
/** Unclosed envelopes, whose end a reader may search for repeatedly. */
const BROKEN_ENVELOPES = ['<Envelope>', '<Envelope><a b="', '<Envelope><![CDATA[<Envelope>', '</x><a:'];
const TYPES = ['', 'multipart/batching', 'multipart/batching;boundary="', 'application/json;', 'text/xml'];

/** All readers of the library. */
export const READERS: readonly Reader[] = [
  reader('the response to a batch', (text) => readBatch('multipart/batching; boundary=x', text), [
    ...['', '--x\r\n', PART, `${PART}A: `, `${PART}\r\n`, '--x--'],
  ]),
  reader('the response to a batch without a boundary', (text) => readBatch(undefined, text), [
    ...['', '--', '--x\r\n', PART],
  ]),
  reader('the type of a batch', (text) => readBatch(text, '--a\r\n\r\n--a--'), TYPES),
  reader('header lines', readHeaderLines, ['', 'a:', 'a: b\r\n']),
  reader('challenges', challengesIn, ['', 'Bearer ', 'Bearer a=', 'Bearer a="']),
  reader('a sign-in challenge', (text) => oauthChallenge(headersFrom({ 'www-authenticate': text })), [
    ...['', 'MsRtcOAuth href="/a",grant_type="'],
  ]),
  reader('cookies', (text) => cookieJar().store(`${ORIGIN}/`, text), [
    ...['', 'a=', 'a=b;', 'a=b; Expires=', 'a=b; Path=/', 'a=b; Domain=', 'a=b, '],
  ]),
  reader('Retry-After', (text) => retryAfterMs(text, 0), ['', '1', 'Mon, ']),
  reader('a media type', mediaType, TYPES),
  reader('whether a type is XML', isXml, TYPES),
  reader('a host', hostName, ['', 'a.']),
  reader('a URL', httpUrl, HTTP_URLS),
  reader('the origin of a URL', originOf, HTTP_URLS),
  reader('a URL in a message', describeUrl, HTTP_URLS),
  reader('a text in a message', excerpt),
  reader('a code in a message', codeWord),
  reader('a link', (text) => absolute(text, APPLICATION), HREFS),
  reader('a redirect', redirected, HREFS),
  reader('a link of discovery', (text) => trustedUrl(TRUST, text, ORIGIN, 'user'), HREFS),
  reader('an href', normalHref, HREFS),
  reader('the href of a contact', contactHrefKey, HREFS),
  reader('the keys of an event', (text) =>
    keysOf({ type: 'updated', link: { rel: text, href: text }, sender: { rel: 'people', href: text } }),
  ),
  reader('the URI of a contact', (text) => [addressOf(text), contactKey(text)], ['', 'sip:', 'sip:a@b;']),
  reader('an address', mailAddress, ['', 'a@']),
  reader('a path in activity$', reportedAs, HREFS),
  reader('the link to the next events', followed, ['', '/events?ack=', `${ORIGIN}/`]),
  reader('a resource', got, ['', '{"a":"', '{"_links":{"self":{"href":"', '{"_embedded":']),
  reader('the type of a resource', (text) => got('{}', text), TYPES),
  reader('an error of UCWA', reasonIn, ['', '{"code":"']),
  reader('a response of a token endpoint', (text) => asked(200, text), [
    '',
    '{"access_token":"',
    '{"token_type":"',
  ]),
  reader('an error of a token endpoint', (text) => asked(400, text), ['', '{"error":"']),
  reader('an error of a batch', (text) => decideBatch(404, text)),
  reader('the lastActive of a contact', (text) => fieldsIn('contactPresence', { lastActive: text }), [
    ...['', '/Date(', '/Date(1+'],
  ]),
  reader('a message of a frame', readFrameMessage, ['', '{"messageId":"']),
  reader('an Autodiscover response', readPoxResponse, XML),
  reader('an Autodiscover response in JSON', (text) => answered('json', 200, {}, text), [
    '',
    '{"ErrorCode":"',
  ]),
  reader('an Autodiscover redirect', (text) => answered('json', 302, { location: text }), HREFS),
  reader(
    'the type of an Autodiscover response',
    (text) => answered('json', 500, { 'content-type': text }),
    TYPES,
  ),
  reader('a time of EWS', timestampOf, ['', '2026-11-22T08:15:00']),
  reader('a posted URL', secretIn, ['', '/?', '/?pushKey=']),
  reader('an envelope', (text) => parsed(messageParser(ignore), [text]), XML),
  reader('an envelope, byte by byte', (text) => parsed(messageParser(ignore), text), XML),
  reader('a stream', (text) => parsed(streamingParser(ignore), [text]), XML, BROKEN_ENVELOPES),
  reader('a stream, byte by byte', (text) => parsed(streamingParser(ignore), text), XML),
];

function ignore(): void {
  // Only the work is measured.
}

function parsed(
  parser: { readonly write: (bytes: Uint8Array) => void; readonly end: () => void },
  pieces: Iterable<string>,
): void {
  for (const piece of pieces) parser.write(new TextEncoder().encode(piece));
  parser.end();
}

/** Reads a UCWA resource with this body and type. */
function got(body: string, type = 'application/json'): void {
  const transport: Transport = ({ url }) =>
    of({ ...response(200, { headers: { 'content-type': type }, body: [body] }), url });
  const ucwa = connectUcwa({ server: existingApplication(APPLICATION), transport });
  ucwa.get({ href: '/me' }).subscribe({ error: ignore });
}

/** Follows the link to the next events, with `activity$` subscribed. */
function followed(href: string): void {
  const events = { _links: { next: { href } }, sender: [] };
  const application = { _links: { self: { href: APPLICATION }, events: { href: '/events' } } };
  const answers: unknown[] = [application, events];
  const transport: Transport = ({ url }) => {
    const answer = answers.shift();
    return answer === undefined ? NEVER : of({ ...json(answer), url });
  };
  const ucwa = connectUcwa({ server: existingApplication(APPLICATION), transport });
  ucwa.activity$.subscribe();
  inVirtualTime(() => {
    const following = ucwa.events$.subscribe({ error: ignore });
    // The link is followed asynchronously.
    timer(1000).subscribe(() => following.unsubscribe());
  });
}

/** Follows a redirect to this href. */
function redirected(location: string): void {
  const answers = [response(302, { headers: { location } }), json({})];
  const transport: Transport = ({ url }) => of({ ...(answers.shift() ?? json({})), url });
  restrictToOrigin(ORIGIN)(transport)({ method: 'GET', url: `${ORIGIN}/` }).subscribe({ error: ignore });
}

/** Reads a response of a token endpoint. */
function asked(status: number, body: string): void {
  const transport: Transport = ({ url }) => of({ ...response(status, { body: [body] }), url });
  const signIn = password({ username: 'sara', password: 'hush' });
  requestToken(transport, { url: `${ORIGIN}/token`, signIn }).subscribe({ error: ignore });
}

/** Logs a request to this href. */
function reportedAs(href: string): void {
  const { activity$, logged: reported } = requestLog();
  activity$.subscribe();
  const request: HttpRequest = { method: 'GET', url: absolute(href, ORIGIN) };
  reported(() => of(json({})))(request).subscribe();
}

function answered(
  kind: 'json',
  status: number,
  headers: Readonly<Record<string, string>>,
  body = '{}',
): void {
  const step = { kind, url: `${ORIGIN}/autodiscover` } as unknown as Parameters<typeof stepResult>[0];
  stepResult(step, response(status, { headers, body: [body] })).subscribe({ error: ignore });
}

function json(value: unknown): HttpResponse {
  return response(200, { headers: { 'content-type': 'application/json' }, body: [JSON.stringify(value)] });
}
