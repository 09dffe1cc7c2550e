import type { Auth } from '../../core/auth/auth.ts';
import { passwordGuard } from '../../core/auth/passwordGuard.ts';
import { invalidSecret, objectOption } from '../../core/options.ts';
import type { Middleware } from '../../core/transport/transport.ts';

/** User name and password, for servers that accept Basic authentication. @inline */
export interface BasicCredentials {
  /** A name without a colon, such as `sara@contoso.com` or `CONTOSO\sara`. */
  readonly username: string;
  readonly password: string;
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
  const guarded = passwordGuard();
  return (transport) => (request) =>
    guarded(request, () =>
      transport({ ...request, headers: { ...request.headers, authorization: `Basic ${encoded}` } }),
    );
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
