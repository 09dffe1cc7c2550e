import { filter, type MonoTypeOperatorFunction } from 'rxjs';
import { type LinkedEvent, stringAt } from './internal/event.ts';
import { matchesHref } from '../lib/core/href.ts';

/**
 * Returns an Observable that emits only the events about the resource at an href.
 *
 * Servers spell one href in several ways, so hrefs are compared by meaning: case does not matter, and `%40`
 * equals `@`. An absolute and a relative href are equal when path and query are; two absolute ones must have
 * the same origin, too. Events without a link are dropped.
 *
 * ![Marble diagram of ofHref](../docs/marbles/ofHref.svg)
 *
 * ```
 * source:              --/people/1--/people/2--https://pool.contoso.com/People/1--|
 * ofHref('/people/1')  --/people/1-------------https://pool.contoso.com/People/1--|
 * ```
 *
 * @param href Absolute, or relative to the server, beginning with a slash.
 * @returns An operator. Throws a TypeError if `href` is not a URL.
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
