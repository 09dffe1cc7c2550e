import { Observable } from 'rxjs';

/**
 * Returns an Observable that emits when it is its subscriber's turn, and stays open: the turn is over when it
 * is unsubscribed from. Turns are given in the order of subscription, one at a time.
 */
export function mutex(): Observable<undefined> {
  const waiting: (() => void)[] = [];
  let isTaken = false;

  const next = (): void => {
    const enter = waiting.shift();
    isTaken = enter !== undefined;
    enter?.();
  };

  return new Observable((subscriber) => {
    let hasTurn = false;
    const enter = (): void => {
      hasTurn = true;
      subscriber.next(undefined);
    };
    subscriber.add(() => {
      if (hasTurn) next();
      else waiting.splice(waiting.indexOf(enter), 1);
    });
    if (isTaken) waiting.push(enter);
    else {
      isTaken = true;
      enter();
    }
  });
}
