import { asyncScheduler, defer, map, mergeMap, type Observable } from 'rxjs';
import { retryAfterMs } from '../../lib/core/backoff/backoff.ts';
import { DecodeError, HttpError } from '../../lib/core/errors.ts';
import { parseUrl } from '../../lib/core/httpUrl.ts';
import { parseJson } from '../../lib/core/json.ts';
import { restrictToOrigin } from '../../lib/core/transport/restrictToOrigin.ts';
import { type HttpRequest, readText, type Transport } from '../../lib/core/transport/transport.ts';

/**
 * Returns a function that fetches the JSON at an href, from the origin of `base` only.
 *
 * Its Observable errors with a NetworkError, an HttpError, a DecodeError or an OriginError.
 *
 * @param base The base of relative hrefs.
 */
export function fetchJson(transport: Transport, base: URL): (href: string) => Observable<unknown> {
  const sameOrigin = restrictToOrigin(base.origin)(transport);
  return (href) =>
    defer(() => {
      const url = parseUrl(href, base.href)?.href;
      if (url === undefined) {
        throw new DecodeError('link', { path: '/href', expected: 'a URL', actual: 'something else' });
      }
      const request: HttpRequest = {
        method: 'GET',
        url,
        headers: { accept: 'application/json' },
      };
      return sameOrigin(request).pipe(
        mergeMap((response) => {
          const { status, headers } = response;
          if (status < 200 || status > 299) {
            const waitMs = retryAfterMs(headers.get('retry-after'), asyncScheduler.now());
            throw new HttpError(status, request, { retryAfterMs: waitMs });
          }
          return readText(response, 'resource');
        }),
        map((text) => parseJson(text, 'resource')),
      );
    });
}
