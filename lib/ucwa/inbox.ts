import { Observable, type Subscriber } from 'rxjs';

/** Keeps what comes until somebody takes it, and then passes on what comes. */
export interface Inbox<Value> {
  next(value: Value): void;
  error(error: unknown): void;
  /** What came and what comes, for one subscriber, in order. */
  readonly values$: Observable<Value>;
}

/** Creates an empty inbox. */
export function inbox<Value>(): Inbox<Value> {
  const held: ((subscriber: Subscriber<Value>) => void)[] = [];
  let taker: Subscriber<Value> | undefined;
  let isGiving = false;
  let isOver = false;

  // One loop gives everything: what comes while something is being given waits for its turn.
  const give = (): void => {
    if (isGiving) return;
    isGiving = true;
    while (taker !== undefined && held.length > 0) held.shift()?.(taker);
    isGiving = false;
  };

  const keep = (delivery: (subscriber: Subscriber<Value>) => void): void => {
    if (isOver) return;
    held.push(delivery);
    give();
  };

  return {
    next: (value) => keep((subscriber) => subscriber.next(value)),
    error: (error) => keep((subscriber) => subscriber.error(error)),
    values$: new Observable((subscriber) => {
      taker = subscriber;
      subscriber.add(() => {
        taker = undefined;
        isOver = true;
        held.length = 0;
      });
      give();
    }),
  };
}
