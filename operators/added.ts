import { filter, type OperatorFunction } from 'rxjs';
import { hasType, type OfType, type TypedEvent } from './internal/event.ts';

/**
 * Returns an Observable that emits the events of the source by which something was added.
 *
 * UCWA sends them for a resource that came to be, or came into a list. What EWS tells of new items has other
 * names, `created` and `newMail`: {@link ofType} picks those.
 *
 * ```
 * source:  --added--updated--deleted--added--|
 * added()  --added--------------------added--|
 * ```
 *
 * @see {@link updated}
 * @see {@link deleted}
 * @see {@link ofType}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { added } from 'rxchange/operators';
 *
 * type ContactEvent = { type: 'added'; name: string } | { type: 'deleted'; href: string };
 * const events$ = of<ContactEvent[]>({ type: 'added', name: 'Sara' }, { type: 'deleted', href: '/people/1' });
 *
 * events$.pipe(added()).subscribe((event) => console.log(`${event.name} is here`));
 * // prints: Sara is here
 * ```
 */
export function added<Event extends TypedEvent>(): OperatorFunction<Event, OfType<Event, 'added'>> {
  return filter((event) => hasType(event, ['added']));
}
