import { BehaviorSubject, defer, finalize, first, mergeMap, type Observable, tap, timer } from 'rxjs';
import type { HttpResponse } from '../transport/transport.ts';

/** Sends one request first, and queues the others until its response has what they need. */
export interface FirstAlone {
  /** Returns an Observable that sends now, or after the first request has a response or an error. */
  send(request: () => Observable<HttpResponse>): Observable<HttpResponse>;
  /** Makes the next request the first one. */
  forget(): void;
}

/** How long the others wait for the first request, whose connection may have died. */
const PATIENCE_MS = 30_000;

/**
 * Creates a {@link FirstAlone}.
 *
 * @param isFound Returns whether a response has what the others need. Until one has, the next request is the
 * first.
 */
export function firstAlone(isFound: (response: HttpResponse) => boolean): FirstAlone {
  const stage$ = new BehaviorSubject<'unknown' | 'asking' | 'known'>('unknown');

  const askWith = (request: () => Observable<HttpResponse>): Observable<HttpResponse> =>
    defer(() => {
      let isAsking = true;
      const settle = (stage: 'unknown' | 'known'): void => {
        if (!isAsking) return;
        isAsking = false;
        waiting.unsubscribe();
        stage$.next(stage);
      };
      stage$.next('asking');
      const waiting = timer(PATIENCE_MS).subscribe(() => settle('unknown'));
      return request().pipe(
        tap((response) => settle(isFound(response) ? 'known' : 'unknown')),
        finalize(() => settle('unknown')),
      );
    });

  return {
    send: (request) =>
      stage$.pipe(
        // The current stage, not the emitted one: only one request of all queued ones is the next first.
        first(() => stage$.value !== 'asking'),
        mergeMap(() => (stage$.value === 'known' ? request() : askWith(request))),
      ),
    forget: () => {
      if (stage$.value === 'known') stage$.next('unknown');
    },
  };
}
