import { concat, map, mergeMap, NEVER, type Observable, of } from 'rxjs';
import { withRetry } from '../../../lib/core/backoff/withRetry.ts';
import { HttpError } from '../../../lib/core/errors.ts';
import type { ReleaseLedger } from '../../../lib/core/lifecycle/ledger.ts';
import type { ReleaseResult } from '../../../lib/core/lifecycle/release.ts';
import { remoteResource, type RemoteResource } from '../../../lib/core/lifecycle/remoteResource.ts';
import {
  type HttpRequest,
  type HttpResponse,
  readText,
  type Transport,
} from '../../../lib/core/transport/transport.ts';
import { withProgress } from '../../../lib/core/transport/withProgress.ts';

const ORIGIN = 'https://things.example';

type FakeResourceOptions = Partial<RemoteResource<string, string, undefined>>;

/**
 * Returns an Observable of a remote resource, which emits its id and then nothing until it is unsubscribed.
 */
export function fakeResource(
  server: Transport,
  ledger: ReleaseLedger,
  options: FakeResourceOptions = {},
): Observable<string> {
  const send = withRetry({ retries: 3, initialMs: 10, random: () => 0.5 })(withProgress(server));
  const checked = (request: HttpRequest): Observable<HttpResponse> =>
    send(request).pipe(
      map((response) => {
        if (response.status >= 300) throw new HttpError(response.status, request);
        return response;
      }),
    );
  return remoteResource<string, string, undefined>({
    resource: 'thing',
    ledger,
    parent$: of(undefined),
    acquire: (_, onProgress) =>
      checked({ method: 'POST', url: `${ORIGIN}/`, onProgress }).pipe(
        mergeMap((response) => readText(response, 'thing')),
      ),
    identify: (id) => id,
    use: (id) => concat(of(id), NEVER),
    release: (id) =>
      checked({ method: 'DELETE', url: `${ORIGIN}/${id}` }).pipe(map((): ReleaseResult => ({}))),
    unknownHint: 'It stays until the server restarts.',
    ...options,
  });
}
