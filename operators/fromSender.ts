import { filter, type MonoTypeOperatorFunction, type OperatorFunction } from 'rxjs';
import { matchesHref } from '../lib/core/href.ts';
import { checkNames, hasRel, type SentEvent, stringAt, type WithRel } from './internal/event.ts';

/**
 * Returns an Observable that emits the events of the source that were sent by a resource of the given
 * relation, or by one certain resource.
 *
 * A relation narrows `sender.rel`. Where there are several of one relation, as with conversations, a link
 * says which; links are compared as {@link ofHref} does. What has no sender is dropped.
 *
 * ```
 * source (by sender.rel):  --people--communication--people--me--|
 * fromSender('people')     --people-----------------people------|
 * ```
 *
 * @param sender A relation, spelled as the server does, or a link to the sender, of which only the `href`
 * counts.
 * @returns An operator. It throws a TypeError for an empty relation, and for an `href` that is not a URL.
 *
 * @see {@link ofRel}
 * @see {@link inRel}
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
