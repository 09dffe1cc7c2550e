import { asyncScheduler, defer, map, mergeMap, type Observable } from 'rxjs';
import { retryAfterMs } from '../../lib/core/backoff/backoff.ts';
import { DecodeError, HttpError } from '../../lib/core/errors.ts';
import { parseUrl } from '../../lib/core/httpUrl.ts';
import { parseJson } from '../../lib/core/json.ts';
import { restrictToOrigin } from '../../lib/core/transport/restrictToOrigin.ts';
import { type HttpRequest, readText, type Transport } from '../../lib/core/transport/transport.ts';

/**
 * Returns a function that gets the JSON of the resource at an href, absolute or relative to `base`, from the
 * origin of `base` and no other.
 *
 * Its Observable errors with a NetworkError, an HttpError, a DecodeError or an OriginError.
 */
export function fetchJson(transport: Transport, base: URL): (href: string) => Observable<unknown> {
  const pinned = restrictToOrigin(base.origin)(transport);
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
      return pinned(request).pipe(
        mergeMap((response) => {
          const { status, headers } = response;
          if (status < 200 || status > 299) {
            const asked = retryAfterMs(headers.get('retry-after'), asyncScheduler.now());
            throw new HttpError(status, request, { retryAfterMs: asked });
          }
          return readText(response, 'resource');
        }),
        map((text) => parseJson(text, 'resource')),
      );
    });
}
