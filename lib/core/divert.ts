import { type MonoTypeOperatorFunction, Observable } from 'rxjs';

/**
 * Returns an Observable that mirrors the source, but where `elsewhere` returns an Observable for a value, that
 * one is mirrored in the place of the value.
 *
 * With `mergeMap`, every value that stays would take an Observable of its own: one request meets four of these.
 *
 * @param elsewhere What it throws is the error.
 */
export function divert<Value>(
  elsewhere: (value: Value) => Observable<Value> | undefined,
): MonoTypeOperatorFunction<Value> {
  return (source) =>
    new Observable((subscriber) => {
      let open = 1;
      const error = (cause: unknown): void => subscriber.error(cause);
      const complete = (): void => {
        open -= 1;
        if (open === 0) subscriber.complete();
      };
      const next = (value: Value): void => subscriber.next(value);
      const decide = (value: Value): void => {
        let other: Observable<Value> | undefined;
        try {
          other = elsewhere(value);
        } catch (cause) {
          error(cause);
          return;
        }
        if (other === undefined) next(value);
        else {
          open += 1;
          subscriber.add(other.subscribe({ next, error, complete }));
        }
      };
      subscriber.add(source.subscribe({ next: decide, error, complete }));
    });
}
