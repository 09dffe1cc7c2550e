import { asyncScheduler, Observable } from 'rxjs';

/** One subscription to a stream, as it happened in virtual time. */
export interface Lane {
  readonly label: string;
  readonly events: readonly { readonly atMs: number; readonly text: string }[];
  readonly fromMs: number;
  /** When and how it ended; undefined if it has not. */
  readonly end: { readonly atMs: number; readonly by: 'complete' | 'error' | 'unsubscribe' } | undefined;
}

/** Returns the text in the marble of a value. */
export type TextOf<Value> = (value: Value) => string;

/** Records the streams of one diagram. */
export interface Recorder {
  /** The lanes so far, in the order of their subscriptions. */
  readonly lanes: () => readonly Lane[];
  /** Returns the same Observable, of which each subscription is a lane of its own. */
  readonly record: <Value>(
    label: string,
    source: Observable<Value>,
    textOf: TextOf<Value>,
  ) => Observable<Value>;
}

export function recorder(): Recorder {
  const recorded: (() => Lane)[] = [];
  return {
    lanes: () => recorded.map((lane) => lane()),
    record: (label, source, textOf) =>
      new Observable((subscriber) => {
        const fromMs = asyncScheduler.now();
        const events: { atMs: number; text: string }[] = [];
        let end: Lane['end'];
        const ends = (by: NonNullable<Lane['end']>['by']): void => {
          end ??= { atMs: asyncScheduler.now(), by };
        };
        recorded.push(() => ({ label, events, fromMs, end }));
        subscriber.add(() => ends('unsubscribe'));
        return source.subscribe({
          next: (value) => {
            events.push({ atMs: asyncScheduler.now(), text: textOf(value) });
            subscriber.next(value);
          },
          error: (error: unknown) => {
            ends('error');
            subscriber.error(error);
          },
          complete: () => {
            ends('complete');
            subscriber.complete();
          },
        });
      }),
  };
}
