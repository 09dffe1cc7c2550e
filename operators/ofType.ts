import { filter, type OperatorFunction } from 'rxjs';
import { checkNames, hasType, type OfType, type TypedEvent } from './internal/event.ts';

/**
 * Returns an Observable that emits the events of the source that are of one of the given types.
 *
 * The type of the events is narrowed with them, so that a union of event types shrinks to the members that
 * can come. What has no type is dropped. It serves the events of both protocols.
 *
 * ```
 * source:                    --added--updated--deleted--added--|
 * ofType('added', 'deleted') --added-----------deleted--added--|
 * ```
 *
 * @param types At least one type, spelled as the protocol does.
 * @returns An operator. It throws a TypeError without types, or for one that is not a string.
 *
 * @see {@link added}
 * @see {@link updated}
 * @see {@link deleted}
 * @see {@link started}
 * @see {@link completed}
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
