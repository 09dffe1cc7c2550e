import { type MonoTypeOperatorFunction, takeWhile } from 'rxjs';
import { hasType, type LinkedEvent, stringAt, type TypedEvent } from './internal/event.ts';
import { matchesHref } from '../lib/core/href.ts';

/**
 * Returns an Observable that mirrors the source, and completes behind the event by which the resource at the
 * given href was deleted.
 *
 * That event is the last one emitted. Hrefs are compared as {@link ofHref} does. All other events pass, also
 * the `deleted` ones about other resources, or about one that is part of this one.
 *
 * ```
 * source:                    --updated /people/1--deleted /people/2--deleted /people/1--updated--
 * untilDeleted('/people/1')  --updated /people/1--deleted /people/2--(deleted /people/1|)
 * ```
 *
 * @param href Absolute, or relative to the server: from the first slash of the path.
 * @returns An operator. It throws a TypeError for what is not a URL.
 *
 * @see {@link deleted}
 * @see {@link ofHref}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { untilDeleted } from 'rxchange/operators';
 *
 * const sara = { rel: 'contact', href: '/people/sara%40contoso.com' };
 * of(
 *   { type: 'updated', link: sara },
 *   { type: 'deleted', link: sara },
 *   { type: 'added', link: sara },
 * )
 *   .pipe(untilDeleted('/people/Sara@contoso.com'))
 *   .subscribe({
 *     next: (event) => console.log(event.type),
 *     complete: () => console.log('gone'),
 *   });
 * // prints: updated
 * // prints: deleted
 * // prints: gone
 * ```
 */
export function untilDeleted<Event extends TypedEvent & LinkedEvent>(
  href: string,
): MonoTypeOperatorFunction<Event> {
  const matches = matchesHref('untilDeleted(href)', href);
  return takeWhile(
    (event) => !(hasType(event, ['deleted']) && matches(stringAt(event, 'link', 'href'))),
    true,
  );
}
