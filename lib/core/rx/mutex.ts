import { Observable } from 'rxjs';

/**
 * Returns an Observable that emits when its subscriber has the lock, and stays open; unsubscribing releases
 * the lock.
 *
 * One subscriber at a time has the lock, in the order of subscription.
 */
export function mutex(): Observable<undefined> {
  const waiting: (() => void)[] = [];
  let isLocked = false;

  const next = (): void => {
    const enter = waiting.shift();
    isLocked = enter !== undefined;
    enter?.();
  };

  return new Observable((subscriber) => {
    let hasLock = false;
    const enter = (): void => {
      hasLock = true;
      subscriber.next(undefined);
    };
    subscriber.add(() => {
      if (hasLock) next();
      else waiting.splice(waiting.indexOf(enter), 1);
    });
    if (isLocked) waiting.push(enter);
    else {
      isLocked = true;
      enter();
    }
  });
}
