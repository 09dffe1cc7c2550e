import { filter, type OperatorFunction, pipe, scan } from 'rxjs';
import { hasType, type TypedEvent } from './internal/event.ts';

/** The mail that has arrived since the subscription began. @inline */
export interface NewMailCount {
  /** The number of `newMail` events. */
  readonly count: number;
  /** False after a gap: more than `count` messages may have arrived. */
  readonly exact: boolean;
}

/**
 * Returns an Observable that emits the number of `newMail` events, updated with each of them.
 *
 * Mail may have arrived unnoticed during a `gap`: the count is then emitted with `exact: false`, and stays
 * so. For the exact number, get the unread count from the server.
 *
 * Each subscriber starts at zero, and nothing is emitted before the first mail or gap. Put this operator
 * before {@link debounceByItem}, which can merge an arrival with a later deletion.
 *
 * ![Marble diagram of countNewMail](../docs/marbles/countNewMail.svg)
 *
 * ```
 * source:          --newMail-----created--newMail-----gap---------newMail-----|
 * countNewMail()   --{1, exact}-----------{2, exact}--{2, not}----{3, not}----|
 * ```
 *
 * @see {@link ofType}
 * @see {@link inFolder}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { countNewMail } from 'rxchange/operators';
 *
 * of({ type: 'newMail' }, { type: 'created' }, { type: 'newMail' }, { type: 'gap' })
 *   .pipe(countNewMail())
 *   .subscribe(({ count, exact }) => console.log(exact ? `${count} new` : `at least ${count} new`));
 * // prints: 1 new
 * // prints: 2 new
 * // prints: at least 2 new
 * ```
 */
export function countNewMail<Event extends TypedEvent>(): OperatorFunction<Event, NewMailCount> {
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
