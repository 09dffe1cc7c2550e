import { defer, map, mergeMap, type Observable, of, tap } from 'rxjs';
import { DecodeError } from '../core/errors.ts';
import { invalidOption, invalidSecret, objectOption, type OptionNames } from '../core/options.ts';
import { challengesOf } from '../core/auth/challenge.ts';
import { fetchTransport } from '../core/transport/fetch.ts';
import { requestUrl } from '../core/transport/restrictToOrigin.ts';
import {
  type HttpRequest,
  type HttpResponse,
  readText,
  type Transport,
} from '../core/transport/transport.ts';

/** The identity in NTLM messages. @inline */
export interface NtlmIdentity {
  readonly username: string;
  readonly password: string;
  readonly domain: string;
  readonly workstation: string;
}

/**
 * A library that writes and reads NTLM messages with their scheme (`NTLM TlRM…`), such as `@node-ntlm/core`.
 */
export interface NtlmMessages<Challenge> {
  /** Returns the first message: the value of an Authorization header. */
  createType1Message(identity: Pick<NtlmIdentity, 'domain' | 'workstation'>): string;
  /** Returns the challenge of a WWW-Authenticate header. */
  parseType2Message(header: string): Challenge;
  /** Returns the response to the challenge: the value of an Authorization header. */
  createType3Message(challenge: Challenge, identity: NtlmIdentity): string;
}

/** User name and password of a Windows account. @inline */
export interface NtlmCredentials {
  /** Such as `sara`, `CONTOSO\sara` or `sara@contoso.com`. */
  readonly username: string;
  readonly password: string;
  /** @default the part before the backslash of `username`, or none */
  readonly domain?: string;
  /** The name of this machine, for the server's log. @default none */
  readonly workstation?: string;
}

const NAMES: OptionNames<NtlmCredentials> = { username: 1, password: 1, domain: 1, workstation: 1 };

/** A connection, for one request at a time. */
interface Connection {
  readonly send: Transport;
  isSignedIn: boolean;
}

const SUBJECT = 'NTLM challenge';
/** The largest response with a challenge. */
const MOST_BYTES = 262_144;

/**
 * Returns a {@link Transport} that signs in with NTLM.
 *
 * It is for programs, if Exchange accepts neither tokens nor Basic. NTLM signs in a connection, not a
 * request. Each request has a connection of its own, which is reused when its response was read to its end. A
 * request with a body is sent without the body until the server has sent its challenge. 401 after that is
 * emitted: the account is not accepted.
 *
 * It errors with a {@link DecodeError} for a challenge that the library cannot read, and if the library
 * throws; the cause describes that error without its text. The library is an argument, so that other programs
 * do not bundle one. Without channel binding, a server with Extended Protection set to `Require` refuses it.
 *
 * @see [MS-NTHT] NTLM Over HTTP Protocol
 * @param messages Such as `import * as messages from '@node-ntlm/core'`.
 * @param connect Returns a transport that uses one connection for successive requests. @default
 * fetchTransport
 * @throws TypeError that names the option that cannot be used, without its value.
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import type { Transport } from 'rxchange';
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
 *   const challenge = new Map([['www-authenticate', 'Negotiate, NTLM two']]);
 *   return of({ status: isDone ? 200 : 401, url, headers: challenge, body$: of() });
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
        // Without a challenge, this is the response, unless the request was sent without its body.
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
              // The server had closed the connection, so this is a new one.
              response.status === 401 ? readToEnd(response, () => signIn(connection, request)) : of(response),
            ),
          )
        : signIn(connection, request);
      return answer$.pipe(
        map((response) => ({
          ...response,
          body$: response.body$.pipe(
            // Only after the end of the body, another request can use the connection.
            tap({ complete: () => connection.isSignedIn && idleAt(origin).push(connection) }),
          ),
        })),
      );
    });
}

/** Returns the message that a foreign function writes. Its error could quote the password. */
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

/** Returns the request with an empty body, because the server will refuse it. A GET must not have a body. */
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

/** Sends the next request after the end of this response: until then the connection is in use. */
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
