import { defer, map, mergeMap, type Observable, of, tap } from 'rxjs';
import { DecodeError } from '../core/errors.ts';
import { invalidOption, invalidSecret, objectOption, type OptionNames } from '../core/options.ts';
import { challengesOf } from '../core/transport/challenge.ts';
import { fetchTransport } from '../core/transport/fetch.ts';
import { requestUrl } from '../core/transport/restrictToOrigin.ts';
import {
  type HttpRequest,
  type HttpResponse,
  readText,
  type Transport,
} from '../core/transport/transport.ts';

/** Who signs in, as NTLM messages have it. */
export interface NtlmIdentity {
  readonly username: string;
  readonly password: string;
  readonly domain: string;
  readonly workstation: string;
}

/**
 * What writes and reads the messages of NTLM, with their scheme before them (`NTLM TlRM…`): the functions of
 * the package `@node-ntlm/core`, or others like them.
 */
export interface NtlmMessages<Challenge> {
  /** Writes the message that begins: the value of an Authorization header. */
  createType1Message(identity: Pick<NtlmIdentity, 'domain' | 'workstation'>): string;
  /** Reads the challenge out of a WWW-Authenticate header. */
  parseType2Message(header: string): Challenge;
  /** Writes the message that answers the challenge: the value of an Authorization header. */
  createType3Message(challenge: Challenge, identity: NtlmIdentity): string;
}

/** User name and password of a Windows account. */
export interface NtlmCredentials {
  /** Such as `sara`, `CONTOSO\sara` or `sara@contoso.com`. */
  readonly username: string;
  readonly password: string;
  /** @default what stands before the backslash of `username`, or none */
  readonly domain?: string;
  /** The name of this machine, for the server's log. @default none */
  readonly workstation?: string;
}

const NAMES: OptionNames<NtlmCredentials> = { username: 1, password: 1, domain: 1, workstation: 1 };

/** One connection at a time, on which one request follows another. */
interface Connection {
  readonly send: Transport;
  isSignedIn: boolean;
}

const SUBJECT = 'NTLM challenge';
/** How much may stand around a challenge. */
const MOST_BYTES = 262_144;

/**
 * Returns a {@link Transport} that signs in with NTLM, for Node: where Exchange takes neither tokens nor
 * Basic, and there is no browser that signs in by itself.
 *
 * NTLM signs in a connection, not a request. So each request has a connection of its own for as long as it
 * takes, and a connection that is signed in is used again when the answer on it was read to its end. A
 * request with a body is sent without it until the server has sent its challenge. An answer 401 after that is
 * passed on: the account is not accepted. It errors with a {@link DecodeError} for a challenge that the
 * library cannot read, or if the library throws; the cause describes the error of the library without its
 * text.
 *
 * The messages are written by a library that you give it, so that nobody else carries it. It knows no
 * channel binding, so a server with Extended Protection set to `Require` refuses it. It throws a TypeError
 * that names the option, without showing it, for credentials that cannot be used. Page: "NTLM Over HTTP
 * Protocol", MS-NTHT.
 *
 * @param messages Such as `import * as messages from '@node-ntlm/core'`.
 * @param connect Makes a transport that keeps one connection, if it has one request at a time.
 * @default fetchTransport with connections of its own
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { headersFrom, type Transport } from 'rxchange';
 * import { ntlm } from 'rxchange/node';
 *
 * // In a program: import * as messages from '@node-ntlm/core';
 * const messages = {
 *   createType1Message: () => 'NTLM one',
 *   parseType2Message: (header: string) => header,
 *   createType3Message: (challenge: string) => `NTLM three for ${challenge}`,
 * };
 * const server: Transport = ({ url, headers }) => {
 *   const authorization = headers?.['authorization'];
 *   console.log(authorization);
 *   const isDone = authorization !== 'NTLM one';
 *   const challenge = { 'www-authenticate': 'Negotiate, NTLM two' };
 *   return of({ status: isDone ? 200 : 401, url, headers: headersFrom(isDone ? {} : challenge), body$: of() });
 * };
 * const transport = ntlm(messages, { username: 'CONTOSO\\sara', password: 'hush' }, () => server);
 * transport({ method: 'POST', url: 'https://mail.contoso.com/EWS/Exchange.asmx' }).subscribe();
 * // prints: NTLM one
 * // prints: NTLM three for NTLM two
 * ```
 */
export function ntlm<Challenge>(
  messages: NtlmMessages<Challenge>,
  credentials: NtlmCredentials,
  connect: () => Transport = () => fetchTransport(),
): Transport {
  const identity = identityOf(credentials);
  const { domain, workstation } = identity;
  const idle = new Map<string, Connection[]>();

  const idleAt = (origin: string): Connection[] => {
    const known = idle.get(origin) ?? [];
    idle.set(origin, known);
    return known;
  };

  const first = (): string =>
    written(() => messages.createType1Message({ domain, workstation }), {
      subject: 'NTLM messages',
      expected: 'a first message',
      actual: 'an error of createType1Message',
    });

  const answerTo = (challenge: string): string =>
    written(() => messages.createType3Message(messages.parseType2Message(challenge), identity), {
      subject: SUBJECT,
      expected: 'one that can be answered',
      actual: 'another',
    });

  const signIn = (connection: Connection, request: HttpRequest): Observable<HttpResponse> =>
    connection.send(signed(withoutBody(request), first())).pipe(
      mergeMap((response) => {
        const challenge = challengeOf(response);
        // Who asks for no sign-in has answered, unless the request was still to be sent in full.
        if (challenge === undefined) {
          const isAnswer = response.status === 401 || request.body === undefined;
          return isAnswer ? of(response) : readToEnd(response, () => connection.send(request));
        }
        return readToEnd(response, () => connection.send(signed(request, answerTo(challenge))));
      }),
      tap(({ status }) => (connection.isSignedIn = status !== 401)),
    );

  return (request) =>
    defer(() => {
      const { origin } = requestUrl(request.url, `the URL of ${request.method}`);
      const connection = idleAt(origin).pop() ?? { send: connect(), isSignedIn: false };
      const answer$ = connection.isSignedIn
        ? connection.send(request).pipe(
            mergeMap((response) =>
              // The server has closed the connection meanwhile, so this is a new one.
              response.status === 401 ? readToEnd(response, () => signIn(connection, request)) : of(response),
            ),
          )
        : signIn(connection, request);
      return answer$.pipe(
        map((response) => ({
          ...response,
          body$: response.body$.pipe(
            // Only a body that was read to its end leaves the connection free for another request.
            tap({ complete: () => connection.isSignedIn && idleAt(origin).push(connection) }),
          ),
        })),
      );
    });
}

/** Returns the message that a foreign function writes; its error could quote the password. */
function written(
  write: () => string,
  {
    subject,
    expected,
    actual,
  }: { readonly subject: string; readonly expected: string; readonly actual: string },
): string {
  try {
    return write();
  } catch (cause) {
    throw new DecodeError(subject, { path: '', expected, actual }, { cause });
  }
}

/** A body that is sent to be refused is sent for nothing. A GET must have none at all. */
function withoutBody(request: HttpRequest): HttpRequest {
  return request.body === undefined ? request : { ...request, body: '' };
}

function signed(request: HttpRequest, authorization: string): HttpRequest {
  return { ...request, headers: { ...request.headers, authorization } };
}

function challengeOf({ status, headers }: HttpResponse): string | undefined {
  if (status !== 401) return undefined;
  const messages = challengesOf(headers, 'NTLM').flatMap(({ token68 }) => token68 ?? []);
  return messages[0] === undefined ? undefined : `NTLM ${messages[0]}`;
}

/** The next request waits for the end of this answer: until then the connection is not free. */
function readToEnd(response: HttpResponse, next: () => Observable<HttpResponse>): Observable<HttpResponse> {
  return readText(response, SUBJECT, MOST_BYTES).pipe(mergeMap(next));
}

function identityOf(credentials: NtlmCredentials): NtlmIdentity {
  const { username, password, workstation = '' } = objectOption('credentials', credentials, NAMES);
  for (const [name, value] of Object.entries({ username, password, workstation })) {
    if (typeof value !== 'string' || /\p{Cc}/u.test(value)) {
      throw invalidSecret(name, 'a text without control characters');
    }
  }
  if (username === '') throw invalidOption('username', username, 'the name of an account');
  const [, before = '', after = username] = /^([^\\]*)\\(.*)$/.exec(username) ?? [];
  const { domain = before } = credentials;
  if (typeof domain !== 'string' || /\p{Cc}/u.test(domain)) {
    throw invalidSecret('domain', 'a text without control characters');
  }
  return { username: after, password, domain, workstation };
}
