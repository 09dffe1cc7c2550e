import { useMemo, useSyncExternalStore } from 'react';
import { type Observable, tap } from 'rxjs';

/** Subscribes while the component is mounted. Create the Observable outside of it, or with `useMemo`. */
export function useObservable<Value>(source$: Observable<Value>, initial: Value): Value {
  const { subscribe, read } = useMemo(() => {
    let value = initial;
    const subscribe = (onChange: () => void) => {
      const subscription = source$.pipe(tap((next) => (value = next))).subscribe(onChange);
      return () => subscription.unsubscribe();
    };
    return { subscribe, read: () => value };
  }, [source$]);
  return useSyncExternalStore(subscribe, read, read);
}
