import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import { ofHref } from '../../operators/ofHref.ts';
import { ofType } from '../../operators/ofType.ts';
import { marbleDiagram } from '../support/marbles/marbleDiagram.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { behavesLikeAFilter } from './behavesLikeAFilter.ts';
import { malformed, type UcwaEvent, ucwa } from './events.ts';

describe('ofHref', () => {
  const hrefOf = ({ link }: { link: { href: string } }): string => link.href;
  const people = {
    1: { link: { rel: 'contact', href: '/people/1' } },
    2: { link: { rel: 'contact', href: '/people/2' } },
    p: { link: { rel: 'contact', href: 'https://pool.contoso.com/People/1' } },
  };
  marbleDiagram(
    'ofHref',
    "ofHref('/people/1')",
    ({ cold, record }) =>
      record('source, by link.href', cold('-1-2-p-|', people), hrefOf).pipe(ofHref('/people/1')),
    hrefOf,
  );

  it('emits events about the resource only', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-d-x-s-c-|', ucwa);
      const sourceSubs = '            ^------------!';
      const expected = '              -a---d-------|';

      expectObservable(source.pipe(ofHref('/ucwa/v1/people/sara%40contoso.com'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  behavesLikeAFilter<UcwaEvent, UcwaEvent>(() => ofHref('/ucwa/v1/people/sara%40contoso.com'), {
    passing: ucwa.a,
    dropped: ucwa.u,
    malformed,
  });

  it('recognizes every spelling of the href', () => {
    const writtenAs = (href: string): { link: { rel: string; href: string } } => ({
      link: { rel: 'contact', href },
    });
    const events = {
      r: writtenAs('/ucwa/v1/people/sara%40contoso.com'),
      c: writtenAs('/UCWA/v1/people/Sara%40Contoso.com'),
      p: writtenAs('/ucwa/v1/people/sara@contoso.com'),
      a: writtenAs('https://pool.contoso.com/ucwa/v1/people/sara@contoso.com'),
      o: writtenAs('https://pool.contoso.com/ucwa/v1/people/john@contoso.com'),
      q: writtenAs('/ucwa/v1/people/sara@contoso.com?note'),
      f: writtenAs('https://pool.fabrikam.com/ucwa/v1/people/sara@contoso.com'),
    };
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold('-rcpaoqf-|', events);
      const byPath = '     -rcpa--f-|';
      const byUrl = '      -rcpa----|';

      expectObservable(source.pipe(ofHref('/ucwa/v1/people/sara%40contoso.com'))).toBe(byPath, events);
      expectObservable(
        source.pipe(ofHref('HTTPS://POOL.contoso.com:443/ucwa/v1/people/sara@contoso.com')),
      ).toBe(byUrl, events);
    });
  });

  it('throws for an invalid URL', () => {
    expect(() => ofHref('')).to.throw(TypeError, 'ofHref(href) must be an absolute or relative URL');
    expect(() => ofHref('http://[')).to.throw(TypeError, 'but it is "http://["');
    expect(() => ofHref(undefined as unknown as string)).to.throw(TypeError, 'but it is undefined');
  });

  it('narrows the type', () => {
    const source = of<UcwaEvent[]>(ucwa.a);
    expectTypeOf(source.pipe(ofHref('/people'))).toEqualTypeOf<Observable<UcwaEvent>>();
    expectTypeOf(source.pipe(ofType('added'), ofHref('/people'))).toEqualTypeOf<
      Observable<Extract<UcwaEvent, { readonly type: 'added' }>>
    >();
  });
});
