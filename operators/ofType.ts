import { filter, type OperatorFunction } from 'rxjs';
import { checkNames, hasType, type OfType, type TypedEvent } from './internal/event.ts';

/**
 * Returns an Observable that emits only the events of the given types.
 *
 * The result is narrowed to the members of the event union that have one of these types.
 *
 * ![Marble diagram of ofType](../docs/marbles/ofType.svg)
 *
 * ```
 * source:                    --added--updated--deleted--added--|
 * ofType('added', 'deleted') --added-----------deleted--added--|
 * ```
 *
 * @param types At least one type, spelled as the protocol spells it.
 * @returns An operator. Throws a TypeError without types, or for a type that is not a string.
 *
 * @see {@link deleted}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { ofType } from 'rxchange/operators';
 *
 * type MailEvent = { type: 'newMail'; subject: string } | { type: 'moved'; to: string };
 * const events$ = of<MailEvent[]>({ type: 'moved', to: 'archive' }, { type: 'newMail', subject: 'Lunch' });
 *
 * events$.pipe(ofType('newMail')).subscribe((event) => console.log(event.subject));
 * // prints: Lunch
 * ```
 */
export function ofType<Event extends TypedEvent, Type extends Event['type']>(
  ...types: readonly Type[]
): OperatorFunction<Event, OfType<Event, Type>> {
  checkNames('ofType(...types)', types);
  return filter((event) => hasType(event, types));
}

/**
 * Returns an Observable that emits only the events of type `deleted`.
 *
 * UCWA sends one when a resource is removed, or leaves a collection; EWS when an item or a folder is deleted.
 *
 * ![Marble diagram of deleted](../docs/marbles/deleted.svg)
 *
 * ```
 * source:    --added--updated--deleted--added--|
 * deleted()  ------------------deleted---------|
 * ```
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
