import { useMemo, useSyncExternalStore } from 'react';
import type { Observable } from 'rxjs';

/** Subscribes while the component is mounted. Create the Observable outside of it, or with `useMemo`. */
export function useObservable<Value>(source$: Observable<Value>, initial: Value): Value {
  const { subscribe, read } = useMemo(() => {
    let value = initial;
    const subscribe = (onChange: () => void) => {
      const subscription = source$.subscribe((next) => {
        value = next;
        onChange();
      });
      return () => subscription.unsubscribe();
    };
    return { subscribe, read: () => value };
  }, [source$]);
  return useSyncExternalStore(subscribe, read, read);
}
