import { filter, type OperatorFunction } from 'rxjs';
import { hasType, type OfType, type TypedEvent } from './internal/event.ts';

/**
 * Returns an Observable that emits only the events of type `deleted`.
 *
 * UCWA sends one when a resource is removed, or leaves a collection; EWS when an item or a folder is deleted.
 *
 * ```
 * source:    --added--updated--deleted--added--|
 * deleted()  ------------------deleted---------|
 * ```
 *
 *
 * @see {@link ofType}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { deleted } from 'rxchange/operators';
 *
 * type ContactEvent = { type: 'added'; name: string } | { type: 'deleted'; href: string };
 * const events$ = of<ContactEvent[]>({ type: 'added', name: 'Sara' }, { type: 'deleted', href: '/people/1' });
 *
 * events$.pipe(deleted()).subscribe((event) => console.log(`${event.href} is gone`));
 * // prints: /people/1 is gone
 * ```
 */
export function deleted<Event extends TypedEvent>(): OperatorFunction<Event, OfType<Event, 'deleted'>> {
  return filter((event) => hasType(event, ['deleted']));
}
