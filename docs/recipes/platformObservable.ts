import { fromEvent, Observable, type Observer, takeUntil } from 'rxjs';

/** The Observable of browsers, as far as the bridge uses it. */
export interface PlatformObservable<Value> {
  subscribe(observer: Partial<Observer<Value>>, options?: { readonly signal?: AbortSignal }): void;
}

type Subscribe<Value> = (subscriber: Observer<Value> & { readonly signal: AbortSignal }) => void;

declare global {
  var Observable: new <Value>(subscribe: Subscribe<Value>) => PlatformObservable<Value>;
}

export function toPlatform<Value>(source$: Observable<Value>): PlatformObservable<Value> {
  return new globalThis.Observable((subscriber) => {
    source$.pipe(takeUntil(fromEvent(subscriber.signal, 'abort'))).subscribe(subscriber);
  });
}

export function fromPlatform<Value>(source: PlatformObservable<Value>): Observable<Value> {
  return new Observable((subscriber) => {
    const controller = new AbortController();
    const observer: Observer<Value> = {
      next: (value) => subscriber.next(value),
      error: (error) => subscriber.error(error),
      complete: () => subscriber.complete(),
    };
    source.subscribe(observer, { signal: controller.signal });
    return () => controller.abort();
  });
}
