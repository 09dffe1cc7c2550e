import { type MonoTypeOperatorFunction, Observable } from 'rxjs';

/**
 * Returns an Observable that mirrors the source, but where `elsewhere` returns an Observable for a value, that
 * one is mirrored in the place of the value; and where `afterwards` returns one for the error of the source,
 * that one is mirrored in the place of the error. Neither is asked about what these bring.
 *
 * With `mergeMap`, every value that stays would take an Observable of its own: one request meets five of these.
 *
 * @param elsewhere What it throws is the error.
 * @param afterwards The same. @default the error passes
 */
export function switchWhen<Value>(
  elsewhere: (value: Value) => Observable<Value> | undefined,
  afterwards: (error: unknown) => Observable<Value> | undefined = () => undefined,
): MonoTypeOperatorFunction<Value> {
  return (source) =>
    new Observable((subscriber) => {
      /** The source, until it has ended, and those that are mirrored besides. */
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
              const other = elsewhere(value);
              if (other === undefined) next(value);
              else mirror(other);
            } catch (cause) {
              error(cause);
            }
          },
          error: (cause: unknown) => {
            try {
              const other = afterwards(cause);
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
