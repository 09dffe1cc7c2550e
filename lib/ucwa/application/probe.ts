import { catchError, map, type Observable, of, throwError } from 'rxjs';
import type { Transport } from '../../core/transport/transport.ts';
import type { LiveApplication } from './liveApplication.ts';
import { decide } from '../protocol/failures.ts';
import type { Pause } from '../../core/backoff/backoff.ts';
import { retryTransient } from '../transport/backoff.ts';
import { requestNothing } from '../protocol/request.ts';

/**
 * Returns an Observable that emits whether an application still exists.
 *
 * A 404 for a resource may mean that its application is gone. If so, the application is marked as gone.
 * Transient failures are retried; it errors if the server refuses the request.
 *
 * @see [MS-UCWA] ExtendAPresenceSubscription
 */
export function probeApplication(
  application: LiveApplication,
  { transport, pause }: { readonly transport: Transport; readonly pause: Pause },
): Observable<boolean> {
  if (application.isEnded) return of(false);
  return requestNothing(transport, { method: 'GET', url: application.self }, 'application').pipe(
    retryTransient('release', pause),
    map(() => true),
    catchError((error: unknown) => {
      if (decide('release', error, 1) !== 'gone') return throwError(() => error);
      application.markGone(error);
      return of(false);
    }),
  );
}
