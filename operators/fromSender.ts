import { filter, type MonoTypeOperatorFunction, type OperatorFunction } from 'rxjs';
import { matchesHref } from '../lib/core/href.ts';
import { checkNames, hasRel, type SentEvent, stringAt, type WithRel } from './internal/event.ts';

/**
 * Returns an Observable that emits only the events of one sender.
 *
 * A relation matches all senders of that relation, and narrows `sender.rel`. A link matches one of them, such
 * as one of several conversations; its href is compared as by {@link ofHref}. Events without a sender are
 * dropped.
 *
 * ![Marble diagram of fromSender](../docs/marbles/fromSender.svg)
 *
 * ```
 * source (by sender.rel):  --people--communication--people--me--|
 * fromSender('people')     --people-----------------people------|
 * ```
 *
 * @param sender A relation, spelled as the server spells it, or a link to the sender; only its `href` counts.
 * @returns An operator. Throws a TypeError for an empty relation, or an `href` that is not a URL.
 *
 * @see {@link ofRel}
 * @see {@link inCollection}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { fromSender } from 'rxchange/operators';
 *
 * const first = { rel: 'conversation', href: '/conversations/1' };
 * const second = { rel: 'conversation', href: '/conversations/2' };
 * const events$ = of({ type: 'added', sender: first }, { type: 'updated', sender: second });
 *
 * events$.pipe(fromSender('conversation')).subscribe((event) => console.log(event.type));
 * // prints: added
 * // prints: updated
 * events$.pipe(fromSender(second)).subscribe((event) => console.log(event.type));
 * // prints: updated
 * ```
 */
export function fromSender<Event extends SentEvent, Rel extends string>(
  sender: Rel,
): OperatorFunction<Event, WithRel<Event, 'sender', Rel>>;
export function fromSender<Event extends SentEvent>(sender: {
  readonly href: string;
}): MonoTypeOperatorFunction<Event>;
export function fromSender<Event extends SentEvent>(
  sender: string | { readonly href: string },
): MonoTypeOperatorFunction<Event> {
  if (typeof sender === 'object') {
    const matches = matchesHref('fromSender(sender).href', stringAt(sender, 'href'));
    return filter((event) => matches(stringAt(event, 'sender', 'href')));
  }
  checkNames('fromSender(sender)', [sender]);
  return filter((event) => hasRel(event, 'sender', [sender]));
}
