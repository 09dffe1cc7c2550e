import { onMounted, onUnmounted, type ShallowRef, shallowRef } from 'vue';
import { type Observable, Subscription } from 'rxjs';

/** Subscribes while the component is mounted. */
export function useObservable<Value>(
  source$: Observable<Value>,
  initial: Value,
): Readonly<ShallowRef<Value>> {
  const value = shallowRef(initial);
  const subscription = new Subscription();
  onMounted(() => subscription.add(source$.subscribe((next) => (value.value = next))));
  onUnmounted(() => subscription.unsubscribe());
  return value;
}
