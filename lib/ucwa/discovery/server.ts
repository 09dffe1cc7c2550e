import type { Pause } from '../../core/backoff/backoff.ts';
import type { RetryPolicy } from '../../core/backoff/withRetry.ts';
import { feature, type Feature } from '../../core/feature.ts';
import type { Limits } from '../../core/limits.ts';
import { credentialUrlOption, urlOption } from '../../core/options.ts';
import type { Middleware, Transport } from '../../core/transport/transport.ts';
import type { Signer, SignerContext } from '../auth/signer.ts';
import { type ServerLocation, staticLocation } from './location.ts';

/** The server of `discovered` or `existingApplication`: the option `server` of a connection. */
export interface UcwaServer {
  /** The name of the function that returned it. */
  readonly type: 'discovered' | 'existingApplication';
}

/** The properties of a connection that its server depends on. */
export interface ServerContext {
  /** Creates the sign-in; undefined if requests are not signed. */
  readonly signer: ((context: SignerContext) => Signer) | undefined;
  readonly transport: Transport;
  readonly retry: RetryPolicy;
  readonly pause: Pause;
  readonly limits: Required<Limits>;
  readonly allowInsecureHttp: boolean;
}

/** The server of one connection. */
export interface Server {
  readonly location: ServerLocation;
  /** Signs requests to the server; undefined if they are not signed. */
  readonly sign: Middleware | undefined;
  /** Whether its URL is that of an existing application, which is never deleted. */
  readonly isExisting: boolean;
}

/** The feature of servers that are more than a URL. */
export const SERVER: Feature<(context: ServerContext) => Server> = /* @__PURE__ */ feature(
  "the URL of applications, or discovered(domain) or existingApplication(href) from 'rxchange/ucwa'",
);

/** Returns a function that finds the server; throws a TypeError for an invalid `server`. */
export function serverOption(server: string | UcwaServer): (context: ServerContext) => Server {
  return typeof server === 'string'
    ? (context) => serverAt(server, context, false)
    : SERVER.read('server', server);
}

/**
 * Returns an application that already exists: the option `server` of a connection.
 *
 * The connection uses the application, and never deletes it.
 *
 * @param href The application's URL, absolute.
 * @throws TypeError if it cannot be used.
 *
 * @example
 * ```ts
 * import { bearer } from 'rxchange';
 * import { connectUcwa, existingApplication } from 'rxchange/ucwa';
 * import { ucwaSimulator } from 'rxchange/testing';
 *
 * const { url, transport } = ucwaSimulator();
 * const auth = bearer('secret');
 * const owner = connectUcwa({ server: url, auth, transport });
 * owner.application$.subscribe(({ self }) => {
 *   const guest = connectUcwa({ server: existingApplication(self), auth, transport });
 *   guest.application$.subscribe(({ me }) => console.log(me.uri));
 *   // prints: sip:lene@contoso.com
 * });
 * await owner.close();
 * ```
 */
export function existingApplication(href: string): UcwaServer {
  const { href: url } = urlOption('href', href);
  return SERVER.create({ type: 'existingApplication' }, (context) => serverAt(url, context, true));
}

function serverAt(url: string, { signer, ...context }: ServerContext, isExisting: boolean): Server {
  const { limits, allowInsecureHttp } = context;
  const { href } =
    signer === undefined ? urlOption('server', url) : credentialUrlOption('server', url, allowInsecureHttp);
  const signing = signer?.(context);
  signing?.registerOrigin(href);
  return { location: staticLocation(href, limits), sign: signing?.sign, isExisting };
}
