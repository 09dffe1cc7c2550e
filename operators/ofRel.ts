import { filter, type OperatorFunction } from 'rxjs';
import { checkNames, hasRel, type LinkedEvent, type WithRel } from './internal/event.ts';

/**
 * Returns an Observable that emits the events of the source that are about a resource of one of the given
 * relations.
 *
 * `link.rel` is narrowed to them. What has no link is dropped.
 *
 * ```
 * source:           --contact--contactPresence--contactNote--contact--|
 * ofRel('contact')  --contact--------------------------------contact--|
 * ```
 *
 * @param rels At least one relation, spelled as the server does: case counts.
 * @returns An operator. It throws a TypeError without relations, or for one that is not a string.
 *
 * @see {@link inRel}
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
