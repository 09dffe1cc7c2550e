import { filter, type OperatorFunction } from 'rxjs';
import { hasType, type OfType, type TypedEvent } from './internal/event.ts';

/**
 * Returns an Observable that emits the events of the source by which something was updated.
 *
 * UCWA sends them for a resource that changed, and for an operation that went on. Many carry a link only:
 * the new state is behind it. What EWS tells of changed items is `modified`: {@link ofType} picks those.
 *
 * ```
 * source:    --added--updated--deleted--updated--|
 * updated()  ---------updated-----------updated--|
 * ```
 *
 * @see {@link added}
 * @see {@link deleted}
 * @see {@link ofType}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { updated } from 'rxchange/operators';
 *
 * type PresenceEvent = { type: 'updated'; availability: string } | { type: 'deleted'; href: string };
 * const events$ = of<PresenceEvent[]>(
 *   { type: 'updated', availability: 'Busy' },
 *   { type: 'deleted', href: '/people/1' },
 * );
 *
 * events$.pipe(updated()).subscribe((event) => console.log(event.availability));
 * // prints: Busy
 * ```
 */
export function updated<Event extends TypedEvent>(): OperatorFunction<Event, OfType<Event, 'updated'>> {
  return filter((event) => hasType(event, ['updated']));
}
