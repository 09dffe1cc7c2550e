import { filter, type OperatorFunction } from 'rxjs';
import { hasType, type OfType, type TypedEvent } from './internal/event.ts';

/**
 * Returns an Observable that emits the events of the source by which an operation completed, well or not.
 *
 * UCWA tells in the event how it ended: `status`, and where it failed, `reason`. A completed operation is an
 * event like any other; it does not complete the Observable.
 *
 * ```
 * source:      --started--updated--completed--started--|
 * completed()  --------------------completed-----------|
 * ```
 *
 * @see {@link started}
 * @see {@link updated}
 * @see {@link ofType}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { completed } from 'rxchange/operators';
 *
 * type CallEvent = { type: 'started'; from: string } | { type: 'completed'; status: string };
 * const events$ = of<CallEvent[]>({ type: 'started', from: 'Sara' }, { type: 'completed', status: 'Success' });
 *
 * events$.pipe(completed()).subscribe((event) => console.log(event.status));
 * // prints: Success
 * ```
 */
export function completed<Event extends TypedEvent>(): OperatorFunction<Event, OfType<Event, 'completed'>> {
  return filter((event) => hasType(event, ['completed']));
}
