import { catchError, defer, EMPTY, filter, fromEvent, merge, NEVER, type Observable } from 'rxjs';

/** A platform that may have events, as browsers and their workers do and Node does not. */
interface Platform {
  readonly addEventListener?: (name: string, listener: () => void) => void;
  readonly removeEventListener?: (name: string, listener: () => void) => void;
}

/** Returns an Observable that emits when the platform comes online, if the platform has such an event. */
export function platformOnline(platform: Platform = globalThis): Observable<unknown> {
  const { addEventListener, removeEventListener } = platform;
  if (addEventListener === undefined || removeEventListener === undefined) return NEVER;
  return fromEvent(
    {
      addEventListener: (name: string, listener: () => void) =>
        addEventListener.call(platform, name, listener),
      removeEventListener: (name: string, listener: () => void) =>
        removeEventListener.call(platform, name, listener),
    },
    'online',
  );
}

/**
 * Returns an Observable that emits when a platform comes online, and completes if the source errors.
 *
 * A value on subscription, as of a `BehaviorSubject`, is skipped: it means online, not coming online.
 */
export function comingOnline(source$: Observable<unknown>): Observable<unknown> {
  return defer(() => {
    let isSubscribed = false;
    const later$ = source$.pipe(
      filter(() => isSubscribed),
      catchError(() => EMPTY),
    );
    return merge(
      later$,
      defer(() => {
        isSubscribed = true;
        return EMPTY;
      }),
    );
  });
}
