import { filter, type MonoTypeOperatorFunction } from 'rxjs';
import { type LinkedEvent, stringAt } from './internal/event.ts';
import { matchesHref } from '../lib/core/href.ts';

/**
 * Returns an Observable that emits the events of the source that are about the resource at the given href.
 *
 * A server does not always write an href the same way, so they are compared by what they mean: upper and
 * lower case are equal, and so are `%40` and `@`. Of an absolute and a relative one path and query count; two
 * absolute ones must be on the same server too. What has no link is dropped.
 *
 * ```
 * source:              --/people/1--/people/2--https://pool.contoso.com/People/1--|
 * ofHref('/people/1')  --/people/1-------------https://pool.contoso.com/People/1--|
 * ```
 *
 * @param href Absolute, or relative to the server: from the first slash of the path.
 * @returns An operator. It throws a TypeError for what is not a URL.
 *
 * @see {@link ofRel}
 * @see {@link fromSender}
 *
 * @example
 * ```ts
 * import { of } from 'rxjs';
 * import { ofHref } from 'rxchange/operators';
 *
 * of(
 *   { type: 'updated', link: { rel: 'contact', href: '/people/sara%40contoso.com' } },
 *   { type: 'updated', link: { rel: 'contact', href: '/people/john%40contoso.com' } },
 * )
 *   .pipe(ofHref('https://pool.contoso.com/people/Sara@contoso.com'))
 *   .subscribe((event) => console.log(event.link.href));
 * // prints: /people/sara%40contoso.com
 * ```
 */
export function ofHref<Event extends LinkedEvent>(href: string): MonoTypeOperatorFunction<Event> {
  const matches = matchesHref('ofHref(href)', href);
  return filter((event) => matches(stringAt(event, 'link', 'href')));
}
