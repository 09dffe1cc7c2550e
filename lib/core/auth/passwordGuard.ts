import { asyncScheduler, defer, type Observable, tap, throwError } from 'rxjs';
import { HttpError } from '../errors.ts';
import type { HttpRequest, HttpResponse } from '../transport/transport.ts';
import { firstAlone, type FirstAlone } from './firstAlone.ts';

/**
 * How long a refused password is not sent again: accounts lock after a few wrong ones within some minutes.
 */
const REFUSED_FOR_MS = 60_000;

/** The state of a password at one origin. */
interface Site {
  readonly first: FirstAlone;
  refusedUntil: number;
}

/** Sends a request with a password, unless the password was refused. */
export type PasswordGuard = (
  request: HttpRequest,
  send: () => Observable<HttpResponse>,
) => Observable<HttpResponse>;

/**
 * Creates a {@link PasswordGuard} for one password, so that a wrong one does not lock the account.
 *
 * Until an origin has accepted the password, one request goes ahead of the others. After a refusal, requests
 * to that origin error with an `HttpError` for a minute and send nothing.
 *
 * @param isRefusal Returns whether a response refuses the password. @default status 401
 */
export function passwordGuard(
  isRefusal: (response: HttpResponse) => boolean = ({ status }) => status === 401,
): PasswordGuard {
  const sites = new Map<string, Site>();

  const siteOf = (url: string): Site => {
    const { origin } = new URL(url);
    const site = sites.get(origin) ?? { first: firstAlone((one) => !isRefusal(one)), refusedUntil: 0 };
    sites.set(origin, site);
    return site;
  };

  return (request, send) =>
    defer(() => {
      const site = siteOf(request.url);
      return site.first.send(() => {
        const leftMs = site.refusedUntil - asyncScheduler.now();
        if (leftMs > 0) return throwError(() => refused(request, leftMs));
        return send().pipe(
          tap((response) => {
            if (!isRefusal(response)) return;
            site.refusedUntil = asyncScheduler.now() + REFUSED_FOR_MS;
            site.first.forget();
          }),
        );
      });
    });
}

function refused(request: HttpRequest, leftMs: number): HttpError {
  const hint =
    'user name and password were refused before, and are not sent again ' +
    `for ${Math.ceil(leftMs / 1000)} seconds, so that the account is not locked; check them`;
  return new HttpError(401, request, { hint });
}
