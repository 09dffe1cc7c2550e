import { asyncScheduler, defer, type Observable, tap, throwError } from 'rxjs';
import { HttpError } from '../../core/errors.ts';
import { invalidSecret, objectOption } from '../../core/options.ts';
import type { Auth } from '../../core/auth/auth.ts';
import { firstAlone, type FirstAlone } from '../../core/auth/firstAlone.ts';
import type { HttpRequest, HttpResponse, Middleware, Transport } from '../../core/transport/transport.ts';

/** User name and password, for servers that accept Basic authentication. @inline */
export interface BasicCredentials {
  /** A name without a colon, such as `sara@contoso.com` or `CONTOSO\sara`. */
  readonly username: string;
  readonly password: string;
}

/**
 * How long a refused password is not sent again: accounts lock after a few wrong ones within some minutes.
 */
const REFUSED_FOR_MS = 60_000;

/** The state of a password at one origin. */
interface Site {
  readonly first: FirstAlone;
  refusedUntil: number;
}

/**
 * Returns an {@link Auth} that signs requests with a user name and a password.
 *
 * Until an origin has accepted them, one request goes ahead of the others. After a 401, requests to that
 * origin error with an `HttpError` for a minute and send nothing, so that a wrong password does not lock the
 * account.
 *
 * @throws TypeError that names the property that cannot be used, without its value.
 *
 * @example
 * ```ts
 * import { basic, connectExchange, pullNotifications } from 'rxchange/ews';
 * import { ewsSimulator } from 'rxchange/testing';
 *
 * const credentials = { username: 'sara', password: 'hush' };
 * const { url, transport } = ewsSimulator({ basic: credentials });
 * const exchange = connectExchange({ server: url, auth: basic(credentials), transport });
 * pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] })
 *   .subscribe(({ type }) => console.log(type))
 *   .unsubscribe();
 * // prints: status
 * await exchange.drain();
 * ```
 */
export function basic(credentials: BasicCredentials): Auth {
  const encoded = encodeBasic(credentials);
  return { scheme: 'Basic', sign: () => basicSignIn(encoded) };
}

/** All transports that are signed by one of these share the state of the password. */
function basicSignIn(encoded: string): Middleware {
  const sites = new Map<string, Site>();

  const siteOf = (url: string): Site => {
    const { origin } = new URL(url);
    const site = sites.get(origin) ?? { first: firstAlone(({ status }) => status !== 401), refusedUntil: 0 };
    sites.set(origin, site);
    return site;
  };

  const signed = (transport: Transport, request: HttpRequest, site: Site): Observable<HttpResponse> => {
    const leftMs = site.refusedUntil - asyncScheduler.now();
    if (leftMs > 0) return throwError(() => refused(request, leftMs));
    const headers = { ...request.headers, authorization: `Basic ${encoded}` };
    return transport({ ...request, headers }).pipe(
      tap(({ status }) => {
        if (status !== 401) return;
        site.refusedUntil = asyncScheduler.now() + REFUSED_FOR_MS;
        site.first.forget();
      }),
    );
  };

  return (transport) => (request) =>
    defer(() => {
      const site = siteOf(request.url);
      return site.first.send(() => signed(transport, request, site));
    });
}

function refused(request: HttpRequest, leftMs: number): HttpError {
  const hint =
    'user name and password were refused before, and are not sent again ' +
    `for ${Math.ceil(leftMs / 1000)} seconds, so that the account is not locked; check them`;
  return new HttpError(401, request, { hint });
}

function encodeBasic(credentials: BasicCredentials): string {
  const { username, password } = objectOption('credentials', credentials, { username: 1, password: 1 });
  if (typeof username !== 'string' || username === '' || /[:\p{Cc}]/u.test(username)) {
    throw invalidSecret('username', 'a text without colon and control characters');
  }
  if (typeof password !== 'string' || /\p{Cc}/u.test(password)) {
    throw invalidSecret('password', 'a text without control characters');
  }
  return btoa(String.fromCharCode(...new TextEncoder().encode(`${username}:${password}`)));
}
