import { asyncScheduler, defer, type Observable, tap, throwError } from 'rxjs';
import { HttpError } from '../../core/errors.ts';
import { firstAlone, type FirstAlone } from '../../core/transport/firstAlone.ts';
import type { HttpRequest, HttpResponse, Middleware, Transport } from '../../core/transport/transport.ts';

/** How long a refused password is not sent again: accounts lock after a few wrong ones within some minutes. */
const REFUSED_FOR_MS = 60_000;

/** What is known of a password at one origin. */
interface Site {
  readonly first: FirstAlone;
  refusedUntil: number;
}

/**
 * Returns a Middleware that signs requests with a user name and a password.
 *
 * Until an origin has accepted them, one request goes ahead of the others. After a 401, requests to that origin
 * error with an {@link HttpError} for a minute and send nothing, so that a wrong password does not lock the account.
 * All transports that are signed by one Middleware share that.
 *
 * @param encoded User name and password, as an Authorization header carries them.
 */
export function basicSignIn(encoded: string): Middleware {
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
