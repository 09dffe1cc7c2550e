import { filter, type OperatorFunction, pipe, scan } from 'rxjs';
import { hasType, type TypedEvent } from './internal/event.ts';

/** How much mail has arrived since the subscription began. */
export interface NewMailCount {
  /** How many messages are known to have arrived. */
  readonly count: number;
  /** False once a gap stood in the stream: then `count` is what arrived at least. */
  readonly exact: boolean;
}

/**
 * Returns an Observable that counts the `newMail` events of the source, and emits the count with each.
 *
 * Behind a `gap` mail may have arrived that nobody told of. The count goes on, since what it counted did
 * arrive, and from the gap on says that it is not `exact`; that is emitted at once. Who needs it exact asks
 * the server for the number there.
 *
 * It counts from zero for each subscriber, and emits nothing before the first mail or gap. It counts events:
 * put it before {@link settle}, which can make one event of an arrival and the deletion that followed.
 *
 * ```
 * source:          --newMail-----created--newMail-----gap---------newMail-----|
 * newMailCount()   --{1, exact}-----------{2, exact}--{2, not}----{3, not}----|
 * ```
 *
 * @see {@link ofType}
 * @see {@link inFolder}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { newMailCount } from 'rxchange/operators';
 *
 * of({ type: 'newMail' }, { type: 'created' }, { type: 'newMail' }, { type: 'gap' })
 *   .pipe(newMailCount())
 *   .subscribe(({ count, exact }) => console.log(exact ? `${count} new` : `at least ${count} new`));
 * // prints: 1 new
 * // prints: 2 new
 * // prints: at least 2 new
 * ```
 */
export function newMailCount<Event extends TypedEvent>(): OperatorFunction<Event, NewMailCount> {
  const none: NewMailCount = { count: 0, exact: true };
  return pipe(
    filter((event: Event) => hasType(event, ['newMail', 'gap'])),
    scan(
      ({ count, exact }, { type }): NewMailCount =>
        type === 'newMail' ? { count: count + 1, exact } : { count, exact: false },
      none,
    ),
  );
}
