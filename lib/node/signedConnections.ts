import { defer, map, mergeMap, type Observable, of, tap } from 'rxjs';
import { challengesOf } from '../core/auth/challenge.ts';
import type { PasswordGuard } from '../core/auth/passwordGuard.ts';
import { HttpError } from '../core/errors.ts';
import { credentialUrlOption } from '../core/options.ts';
import { requestUrl } from '../core/transport/restrictToOrigin.ts';
import {
  type HttpRequest,
  type HttpResponse,
  readText,
  type Transport,
} from '../core/transport/transport.ts';
import { channelBinding } from './channelBinding.ts';
import { emitAfter } from './emitAfter.ts';

/** What the server has sent for a sign-in, and the connection that it came on. */
export interface Challenge {
  /** The data after the scheme; undefined if the scheme is only offered. */
  readonly token: string | undefined;
  /** The data of `tls-server-end-point`; undefined without TLS. */
  readonly channelBinding: Uint8Array | undefined;
}

/** One sign-in of one connection. */
export interface Handshake {
  /** The Authorization of the first request, which is sent without its body. @default none */
  readonly first?: string;
  /** Emits the Authorization of the next request; returns undefined if the server has refused. */
  respond(challenge: Challenge): Observable<string> | undefined;
  /** Completes if the server has proved its identity, and errors if not. @default no check */
  confirm?(token: string | undefined): Observable<never>;
}

/** A scheme that signs connections in. */
export interface ConnectionScheme {
  readonly name: 'NTLM' | 'Negotiate';
  /** Starts a sign-in to the host of a URL. */
  readonly start: (url: URL) => Handshake;
  /** What a refusal means, for the error. */
  readonly refusal: string;
  /** Sends the credentials. @default at once */
  readonly guard?: PasswordGuard;
}

/** How connections are opened. */
interface ConnectionOptions {
  readonly connect: () => Transport;
  readonly allowInsecureHttp: boolean;
}

/** A connection, for one request at a time. */
interface Connection {
  readonly send: Transport;
  isSignedIn: boolean;
}

/** The most messages that a client sends in one sign-in. */
const MOST_MESSAGES = 5;
/** The largest response with a challenge. */
const MOST_BYTES = 262_144;

/**
 * Returns a {@link Transport} that signs in each connection with a handshake.
 *
 * Each request has a connection of its own, which is reused when its response was read to its end. On a
 * connection that is not signed in, a request with a body is sent without the body first. A request that has
 * an Authorization is sent as it is, on another connection. A server that does not offer the scheme has its
 * 401 emitted; one that refuses the credentials makes the request error with an {@link HttpError}.
 */
export function signedConnections(
  { name, start, refusal, guard = (_, send) => send() }: ConnectionScheme,
  { connect, allowInsecureHttp }: ConnectionOptions,
): Transport {
  const idle = new Map<string, Connection[]>();
  let others: Transport | undefined;

  const idleAt = (origin: string): Connection[] => {
    const known = idle.get(origin) ?? [];
    idle.set(origin, known);
    return known;
  };

  const signIn = (connection: Connection, request: HttpRequest, handshake: Handshake) =>
    connection.send(signed(withoutBody(request), handshake.first)).pipe(
      mergeMap((response) => {
        if (response.status === 401) return respond({ connection, request, handshake }, response);
        // The server needs no sign-in: this is the response, unless the request was sent without its body.
        if (request.body === undefined) return of(response);
        return readToEnd(response, () => connection.send(request));
      }),
    );

  const respond = (
    exchange: {
      readonly connection: Connection;
      readonly request: HttpRequest;
      readonly handshake: Handshake;
    },
    response: HttpResponse,
    messages = 0,
  ): Observable<HttpResponse> => {
    const { connection, request, handshake } = exchange;
    const [challenge] = challengesOf(response.headers, name);
    if (response.status !== 401) {
      const check$ = handshake.confirm?.(challenge?.token68);
      return check$ === undefined ? of(response) : emitAfter(check$, response);
    }
    const certificate = response.peerCertificate?.();
    const authorization$ =
      challenge !== undefined && messages < MOST_MESSAGES
        ? handshake.respond({
            token: challenge.token68,
            channelBinding: certificate && channelBinding(certificate),
          })
        : undefined;
    if (authorization$ === undefined) {
      if (messages > 0) throw new HttpError(401, request, { hint: refusal });
      return of(response);
    }
    return readToEnd(response, () => authorization$).pipe(
      mergeMap((authorization) => guard(request, () => connection.send(signed(request, authorization)))),
      mergeMap((next) => respond(exchange, next, messages + 1)),
    );
  };

  const send = (connection: Connection, request: HttpRequest, url: URL): Observable<HttpResponse> => {
    const handshake = start(url);
    if (!connection.isSignedIn) return signIn(connection, request, handshake);
    return connection.send(request).pipe(
      mergeMap((response) => {
        if (response.status !== 401) return of(response);
        // The connection is new, because the server had closed it, or the server signs in each request.
        return handshake.first === undefined
          ? respond({ connection, request, handshake }, response)
          : readToEnd(response, () => signIn(connection, request, handshake));
      }),
    );
  };

  return (request) =>
    defer(() => {
      const what = `the URL of ${request.method}`;
      const url = requestUrl(request.url, what);
      credentialUrlOption(what, request.url, allowInsecureHttp);
      if (request.headers?.['authorization'] !== undefined) return (others ??= connect())(request);
      const connection = idleAt(url.origin).pop() ?? { send: connect(), isSignedIn: false };
      return send(connection, request, url).pipe(
        tap(({ status }) => (connection.isSignedIn = status !== 401)),
        map((response) => ({
          ...response,
          body$: response.body$.pipe(
            // Only after the end of the body, another request can use the connection.
            tap({ complete: () => connection.isSignedIn && idleAt(url.origin).push(connection) }),
          ),
        })),
      );
    });

  /** Sends the next request after the end of this response: until then the connection is in use. */
  function readToEnd<Next>(response: HttpResponse, next: () => Observable<Next>): Observable<Next> {
    return readText(response, `${name} challenge`, MOST_BYTES).pipe(mergeMap(next));
  }
}

/** Returns the request with an empty body, because the server will refuse it. A GET must not have a body. */
function withoutBody(request: HttpRequest): HttpRequest {
  return request.body === undefined ? request : { ...request, body: '' };
}

function signed(request: HttpRequest, authorization: string | undefined): HttpRequest {
  return authorization === undefined
    ? request
    : { ...request, headers: { ...request.headers, authorization } };
}
