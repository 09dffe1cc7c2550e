import { filter, type OperatorFunction } from 'rxjs';
import { checkNames, hasRel, type LinkedEvent, type WithRel } from './internal/event.ts';

/**
 * Returns an Observable that emits only the events about a resource of the given relations.
 *
 * `link.rel` is narrowed to these relations. Events without a link are dropped.
 *
 * ![Marble diagram of ofRel](../docs/marbles/ofRel.svg)
 *
 * ```
 * source:           --contact--contactPresence--contactNote--contact--|
 * ofRel('contact')  --contact--------------------------------contact--|
 * ```
 *
 * @param rels At least one relation, spelled as the server spells it; it is case-sensitive.
 * @returns An operator. Throws a TypeError without relations, or for a relation that is not a string.
 *
 * @see {@link inCollection}
 * @see {@link ofHref}
 * @see {@link fromSender}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { ofRel } from 'rxchange/operators';
 *
 * of(
 *   { type: 'added', link: { rel: 'contact', href: '/people/1' } },
 *   { type: 'updated', link: { rel: 'contactPresence', href: '/people/1/presence' } },
 * )
 *   .pipe(ofRel('contactPresence'))
 *   .subscribe((event) => console.log(`GET ${event.link.href}`));
 * // prints: GET /people/1/presence
 * ```
 */
export function ofRel<Event extends LinkedEvent, Rel extends string>(
  ...rels: readonly Rel[]
): OperatorFunction<Event, WithRel<Event, 'link', Rel>> {
  checkNames('ofRel(...rels)', rels);
  return filter((event) => hasRel(event, 'link', rels));
}
