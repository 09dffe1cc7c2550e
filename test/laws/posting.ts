import { map, mergeMap, type Observable, of, throwError, timer } from 'rxjs';
import { headersFrom, NetworkError, readText, type Transport } from '../../lib/index.ts';
import { type Fault, pushCallback, type PushCallback } from '../../lib/testing/index.ts';

/** Where the server posts its notifications, with what goes wrong on the way. */
export interface Posting extends PushCallback {
  /** What was posted. */
  readonly bodies: readonly string[];
  /** The subscriptions that the server was told to end, whether it has heard it or not. */
  readonly told: ReadonlySet<string>;
  failNext(count: number, how: Fault): void;
  clear(): void;
}

/** Makes a place to post to. */
export function posting(): Posting {
  const { transport: callback, incoming$ } = pushCallback();
  const bodies: string[] = [];
  const told = new Set<string>();
  let faults: Fault[] = [];

  const noting: Transport = (request) => {
    const { body = '' } = request;
    bodies.push(body);
    const id = /SubscriptionId(?:>|">)([^<]*)/.exec(body)?.[1];
    return callback(request).pipe(
      mergeMap((response) =>
        readText(response, 'answer').pipe(
          map((text) => {
            if (id !== undefined && text.includes('>Unsubscribe<')) told.add(id);
            return { ...response, body$: of(new TextEncoder().encode(text)) };
          }),
        ),
      ),
    );
  };

  return {
    ...{ bodies, told, incoming$ },
    transport: (request) => {
      const fault = faults.shift();
      const reset = (): Observable<never> => throwError(() => new NetworkError('no answer', request));
      if (fault === undefined) return noting(request);
      if (fault === 'reset') return reset();
      if (fault === 'resetAfterActing') return noting(request).pipe(mergeMap(reset));
      if ('arrivesAfterMs' in fault) {
        const arrival$ = timer(fault.arrivesAfterMs).pipe(mergeMap(() => noting(request)));
        arrival$.subscribe({ error: () => undefined });
        return reset();
      }
      if ('delayMs' in fault)
        return noting(request).pipe(mergeMap((response) => timer(fault.delayMs).pipe(map(() => response))));
      if ('truncateAfterBytes' in fault)
        return noting(request).pipe(map((response) => ({ ...response, body$: reset() })));
      return of({
        ...{ status: fault.status, url: request.url, headers: headersFrom({}) },
        body$: of(new TextEncoder().encode(fault.body ?? '')),
      });
    },
    failNext: (count, how) => void faults.push(...Array.from({ length: count }, () => how)),
    clear: () => {
      faults = [];
    },
  };
}
