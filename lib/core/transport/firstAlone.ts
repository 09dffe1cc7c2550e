import { BehaviorSubject, defer, finalize, first, mergeMap, type Observable, tap, timer } from 'rxjs';
import type { HttpResponse } from './transport.ts';

/** Lets one request go ahead of the others until it has found out what they need to know. */
export interface FirstAlone {
  /** Returns an Observable that sends now, or once the request that has gone ahead is answered or has failed. */
  send(request: () => Observable<HttpResponse>): Observable<HttpResponse>;
  /** Lets the next request go ahead again. */
  forget(): void;
}

/** How long the others wait for the request that has gone ahead: one whose connection has died would hold them. */
const PATIENCE_MS = 30_000;

/**
 * Creates what lets one request go ahead.
 *
 * @param isFound Whether a response tells what the others need to know. Until one does, the next one goes ahead.
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
        // The current stage, not the emitted one: of all that hear "unknown", one goes ahead.
        first(() => stage$.value !== 'asking'),
        mergeMap(() => (stage$.value === 'known' ? request() : askWith(request))),
      ),
    forget: () => {
      if (stage$.value === 'known') stage$.next('unknown');
    },
  };
}
