import { dematerialize, materialize, Observable, type ObservableNotification, type Subscriber } from 'rxjs';
import type { HttpResponse } from '../core/transport/transport.ts';

/**
 * Returns an Observable that emits a response when a check has completed, and errors if the check does.
 *
 * The body, which must be subscribed to at once, is stored until then.
 */
export function emitAfter(check$: Observable<never>, response: HttpResponse): Observable<HttpResponse> {
  return new Observable((subscriber) => {
    const early: ObservableNotification<Uint8Array>[] = [];
    let reader: Subscriber<ObservableNotification<Uint8Array>> | undefined;
    const reading = response.body$.pipe(materialize()).subscribe((one) => {
      if (reader === undefined) early.push(one);
      else reader.next(one);
    });
    const body$ = new Observable<ObservableNotification<Uint8Array>>((body) => {
      for (const one of early) body.next(one);
      reader = body;
      return reading;
    }).pipe(dematerialize());
    // Nobody reads a body that has no subscriber when the response is emitted.
    subscriber.add(() => {
      if (reader === undefined) reading.unsubscribe();
    });
    subscriber.add(
      check$.subscribe({
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          subscriber.next({ ...response, body$ });
          subscriber.complete();
        },
      }),
    );
  });
}
