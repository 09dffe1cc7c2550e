import { type MonoTypeOperatorFunction, Observable } from 'rxjs';

/**
 * Returns an operator that replaces values, and the error, of the source by Observables.
 *
 * The functions are not called for values and errors of the replacements. An error that they throw is
 * emitted. With `mergeMap`, each value that stays would take an Observable; one request passes five of these
 * operators.
 *
 * @param replaceValue Returns the replacement of a value, or undefined to keep the value.
 * @param replaceError Returns the replacement of the error, or undefined to keep it. @default keeps it
 */
export function switchWhen<Value>(
  replaceValue: (value: Value) => Observable<Value> | undefined,
  replaceError: (error: unknown) => Observable<Value> | undefined = () => undefined,
): MonoTypeOperatorFunction<Value> {
  return (source) =>
    new Observable((subscriber) => {
      /** How many of the source and the replacements are active. */
      let open = 1;
      const next = (value: Value): void => subscriber.next(value);
      const error = (cause: unknown): void => subscriber.error(cause);
      const complete = (): void => {
        open -= 1;
        if (open === 0) subscriber.complete();
      };
      const mirror = (other: Observable<Value>): void => {
        open += 1;
        subscriber.add(other.subscribe({ next, error, complete }));
      };
      subscriber.add(
        source.subscribe({
          next: (value) => {
            try {
              const other = replaceValue(value);
              if (other === undefined) next(value);
              else mirror(other);
            } catch (cause) {
              error(cause);
            }
          },
          error: (cause: unknown) => {
            try {
              const other = replaceError(cause);
              if (other === undefined) error(cause);
              else {
                mirror(other);
                complete();
              }
            } catch (thrown) {
              error(thrown);
            }
          },
          complete,
        }),
      );
    });
}
