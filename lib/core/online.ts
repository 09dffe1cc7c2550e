import { fromEvent, NEVER, type Observable } from 'rxjs';

/** What a platform may have: browsers and their workers do, Node does not. */
interface Platform {
  readonly addEventListener?: (name: string, listener: () => void) => void;
  readonly removeEventListener?: (name: string, listener: () => void) => void;
}

/** Returns an Observable that emits when the platform says that it has a network again, where it says so. */
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
