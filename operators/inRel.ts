import { filter, type OperatorFunction } from 'rxjs';
import { checkNames, type ContainedEvent, hasRel, type WithRel } from './internal/event.ts';

/**
 * Returns an Observable that emits the events of the source that happened inside a resource of one of the
 * given relations.
 *
 * `in` is no longer optional then, and `in.rel` is narrowed. Events that are not in anything are dropped.
 *
 * ```
 * source (by in.rel):         --subscribedContacts--(none)--myContacts--subscribedContacts--|
 * inRel('subscribedContacts') --subscribedContacts----------------------subscribedContacts--|
 * ```
 *
 * @param rels At least one relation, spelled as the server does: case counts.
 * @returns An operator. It throws a TypeError without relations, or for one that is not a string.
 *
 * @see {@link ofRel}
 * @see {@link fromSender}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { inRel } from 'rxchange/operators';
 *
 * const sara = { rel: 'contact', href: '/people/1' };
 * of(
 *   { type: 'added', link: sara, in: { rel: 'subscribedContacts', href: '/subscribed' } },
 *   { type: 'added', link: sara, in: { rel: 'myContacts', href: '/mine' } },
 * )
 *   .pipe(inRel('subscribedContacts'))
 *   .subscribe((event) => console.log(event.in.href));
 * // prints: /subscribed
 * ```
 */
export function inRel<Event extends ContainedEvent, Rel extends string>(
  ...rels: readonly Rel[]
): OperatorFunction<Event, WithRel<Event, 'in', Rel>> {
  checkNames('inRel(...rels)', rels);
  return filter((event) => hasRel(event, 'in', rels));
}
