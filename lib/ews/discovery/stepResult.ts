import { map, type Observable, of } from 'rxjs';
import { string, type, union } from '../../core/codec.ts';
import { decode } from '../../core/decode.ts';
import { parseJson } from '../../core/json.ts';
import { codeWord } from '../../core/text.ts';
import { type HttpResponse, readText, type HttpHeaders } from '../../core/transport/transport.ts';
import { readPoxResponse } from './pox.ts';
import type { AutodiscoverResult, AutodiscoverStep } from './search.ts';
import type { Auth } from '../../core/auth/auth.ts';
import { challengesOf, offeredSchemes } from '../../core/auth/challenge.ts';

/** Far more than a response has. */
const MOST_BYTES = 262_144;
const SUBJECT = 'Autodiscover response';
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** [EWS] ErrorCode (POX), and codes that servers were seen to send. */
const ERRORS: ReadonlyMap<string, string> = new Map([
  ['500', 'the address is not known there'],
  ['501', 'the address is not known there, or belongs to another user'],
  ['600', 'the request is not understood'],
  ['601', 'it has no settings of this kind'],
  ['603', 'the server failed'],
]);

const decodeJson = decode(union([type({ Url: string }), type({ ErrorCode: string })]), SUBJECT);

/**
 * Returns an Observable that emits the result of a step when the body of its response is read.
 *
 * A response 401 means that the credentials were refused.
 *
 * It errors with a {@link DecodeError} for a body that is not an Autodiscover response, and with a {@link
 * NetworkError} when the body breaks off.
 */
export function stepResult(step: AutodiscoverStep, response: HttpResponse): Observable<AutodiscoverResult> {
  const { status, headers } = response;
  const location = headers.get('location');
  if (REDIRECTS.has(status) && location !== undefined) {
    const url = URL.canParse(location, step.url) ? new URL(location, step.url).href : location;
    return of({ type: 'redirectUrl', url });
  }
  const reason = statusReason(step, status, headers.get('content-type'));
  if (reason !== undefined) return of({ type: 'failed', reason });
  return readText(response, SUBJECT, MOST_BYTES).pipe(map(step.format === 'json' ? readJson : readPox));
}

/** Returns why the body of a response is not read, if it is not. JSON errors have any status. */
function statusReason(
  { format }: AutodiscoverStep,
  status: number,
  contentType: string | undefined,
): string | undefined {
  if (status === 0) return 'redirects to what the browser hides';
  if (status === 401) return 'was answered 401: it refuses the credentials';
  if (status === 200) return undefined;
  const isJson = /^application\/json\b/i.test(contentType ?? '');
  return format === 'json' && isJson ? undefined : `was answered ${status}`;
}

function readJson(text: string): AutodiscoverResult {
  const response = decodeJson(parseJson(text, SUBJECT));
  if ('Url' in response) return { type: 'settings', ewsUrls: [response.Url] };
  return { type: 'failed', reason: `answers with the error ${quoted(response.ErrorCode)}` };
}

function readPox(text: string): AutodiscoverResult {
  const { ewsUrls, redirectUrl, redirectAddress, errorCode } = readPoxResponse(text);
  if (redirectUrl !== undefined) return { type: 'redirectUrl', url: redirectUrl };
  if (redirectAddress !== undefined) return { type: 'redirectAddress', address: redirectAddress };
  if (errorCode === undefined) return { type: 'settings', ewsUrls };
  const meaning = ERRORS.get(errorCode);
  return {
    type: 'failed',
    reason: `answers with the error ${quoted(errorCode)}${meaning === undefined ? '' : `: ${meaning}`}`,
  };
}

function quoted(code: string): string {
  return codeWord(code) ?? 'of another kind';
}

/** The credentials of each scheme, in words. */
const CREDENTIALS: Readonly<Record<Auth['scheme'], string>> = { Basic: 'password', Bearer: 'token' };

/** The option to set for each scheme that a server can offer. */
const WAYS: readonly (readonly [scheme: string, way: string])[] = [
  ['Basic', 'auth: basic({ username, password })'],
  ['Bearer', 'auth: bearer(token)'],
  ['NTLM', 'a transport that signs in, such as ntlm(…)'],
];

/**
 * Returns why credentials are not sent to a server that answered 401, or undefined if it offers their scheme.
 *
 * It is for servers that the caller did not name. A header that is missing offers nothing: the server may
 * have sent none, and a browser hides it from pages of other origins unless the server exposes it.
 */
export function reasonToWithhold(auth: Auth | undefined, headers: HttpHeaders): string | undefined {
  if (auth !== undefined && challengesOf(headers, auth.scheme).length > 0) return undefined;
  const withheld = auth === undefined ? '' : `, so the ${CREDENTIALS[auth.scheme]} was not sent`;
  const offered = offeredSchemes(headers);
  if (offered === '') {
    return (
      `was answered 401 without a WWW-Authenticate header that can be read${withheld}: ` +
      'give connectExchange() the URL as server; a browser hides this header from pages of other origins'
    );
  }
  const ways = WAYS.filter(([scheme]) => challengesOf(headers, scheme).length > 0).map(([, way]) => way);
  return `was answered 401 and offers ${offered}${withheld}: give ${ways.join(' or ') || 'a transport that signs in'}`;
}
