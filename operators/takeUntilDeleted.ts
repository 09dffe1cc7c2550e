import { type MonoTypeOperatorFunction, takeWhile } from 'rxjs';
import { hasType, type LinkedEvent, stringAt, type TypedEvent } from './internal/event.ts';
import { matchesHref } from '../lib/core/href.ts';

/**
 * Returns an Observable that completes when the resource at an href is deleted.
 *
 * The `deleted` event of that resource is emitted last. Until then all events pass, including `deleted`
 * events of other resources or of parts of this one. Hrefs are compared as by {@link ofHref}.
 *
 * ![Marble diagram of takeUntilDeleted](../docs/marbles/takeUntilDeleted.svg)
 *
 * ```
 * source:                    --updated /people/1--deleted /people/2--deleted /people/1--updated--
 * takeUntilDeleted('/people/1')  --updated /people/1--deleted /people/2--(deleted /people/1|)
 * ```
 *
 * @param href Absolute, or relative to the server, beginning with a slash.
 * @returns An operator. Throws a TypeError if `href` is not a URL.
 *
 * @see {@link deleted}
 * @see {@link ofHref}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { takeUntilDeleted } from 'rxchange/operators';
 *
 * const sara = { rel: 'contact', href: '/people/sara%40contoso.com' };
 * of(
 *   { type: 'updated', link: sara },
 *   { type: 'deleted', link: sara },
 *   { type: 'added', link: sara },
 * )
 *   .pipe(takeUntilDeleted('/people/Sara@contoso.com'))
 *   .subscribe({
 *     next: (event) => console.log(event.type),
 *     complete: () => console.log('gone'),
 *   });
 * // prints: updated
 * // prints: deleted
 * // prints: gone
 * ```
 */
export function takeUntilDeleted<Event extends TypedEvent & LinkedEvent>(
  href: string,
): MonoTypeOperatorFunction<Event> {
  const matches = matchesHref('takeUntilDeleted(href)', href);
  return takeWhile(
    (event) => !(hasType(event, ['deleted']) && matches(stringAt(event, 'link', 'href'))),
    true,
  );
}
