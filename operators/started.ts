import { filter, type OperatorFunction } from 'rxjs';
import { hasType, type OfType, type TypedEvent } from './internal/event.ts';

/**
 * Returns an Observable that emits the events of the source by which an operation started.
 *
 * UCWA sends them for what takes time, such as an invitation, before {@link completed} tells how it ended.
 *
 * ```
 * source:    --started--updated--completed--started--|
 * started()  --started----------------------started--|
 * ```
 *
 * @see {@link completed}
 * @see {@link updated}
 * @see {@link ofType}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { started } from 'rxchange/operators';
 *
 * type CallEvent = { type: 'started'; from: string } | { type: 'completed'; status: string };
 * const events$ = of<CallEvent[]>({ type: 'started', from: 'Sara' }, { type: 'completed', status: 'Success' });
 *
 * events$.pipe(started()).subscribe((event) => console.log(`${event.from} is calling`));
 * // prints: Sara is calling
 * ```
 */
export function started<Event extends TypedEvent>(): OperatorFunction<Event, OfType<Event, 'started'>> {
  return filter((event) => hasType(event, ['started']));
}
