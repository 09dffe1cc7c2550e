import { filter, type OperatorFunction } from 'rxjs';
import { checkNames, type ContainedEvent, hasRel, type WithRel } from './internal/event.ts';

/**
 * Returns an Observable that emits only the events inside a resource of the given relations.
 *
 * `in` becomes required, and `in.rel` is narrowed to these relations. Events without `in` are dropped.
 *
 * ![Marble diagram of inCollection](../docs/marbles/inCollection.svg)
 *
 * ```
 * source (by in.rel):         --subscribedContacts--(none)--myContacts--subscribedContacts--|
 * inCollection('subscribedContacts') --subscribedContacts----------------------subscribedContacts--|
 * ```
 *
 * @param rels At least one relation, spelled as the server spells it; it is case-sensitive.
 * @returns An operator. Throws a TypeError without relations, or for a relation that is not a string.
 *
 * @see {@link ofRel}
 * @see {@link fromSender}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { inCollection } from 'rxchange/operators';
 *
 * const sara = { rel: 'contact', href: '/people/1' };
 * of(
 *   { type: 'added', link: sara, in: { rel: 'subscribedContacts', href: '/subscribed' } },
 *   { type: 'added', link: sara, in: { rel: 'myContacts', href: '/mine' } },
 * )
 *   .pipe(inCollection('subscribedContacts'))
 *   .subscribe((event) => console.log(event.in.href));
 * // prints: /subscribed
 * ```
 */
export function inCollection<Event extends ContainedEvent, Rel extends string>(
  ...rels: readonly Rel[]
): OperatorFunction<Event, WithRel<Event, 'in', Rel>> {
  checkNames('inCollection(...rels)', rels);
  return filter((event) => hasRel(event, 'in', rels));
}
