import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import { added } from '../../operators/added.ts';
import { ofHref } from '../../operators/ofHref.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { malformed, type UcwaEvent, ucwa } from './events.ts';

describe('ofHref', () => {
  it('should emit the events about the resource, and nothing else', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-d-x-s-c-|', ucwa);
      const sourceSubs = '            ^------------!';
      const expected = '              -a---d-------|';

      expectObservable(source.pipe(ofHref('/ucwa/v1/people/sara%40contoso.com'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit a single one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('--a--|', ucwa);
      const sourceSubs = '            ^----!';
      const expected = '              --a--|';

      expectObservable(source.pipe(ofHref('/ucwa/v1/people/sara%40contoso.com'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete without an event where none fits', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-u-x-s-c-|', ucwa);
      const sourceSubs = '            ^--------!';
      const expected = '              ---------|';

      expectObservable(source.pipe(ofHref('/ucwa/v1/people/sara%40contoso.com'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(ofHref('/ucwa/v1/people/sara%40contoso.com'))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(ofHref('/ucwa/v1/people/sara%40contoso.com'))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should pass the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a--#', ucwa, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -a--#';

      expectObservable(source.pipe(ofHref('/ucwa/v1/people/sara%40contoso.com'))).toBe(
        expected,
        ucwa,
        new Error('connection lost'),
      );
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should unsubscribe from the source when its subscriber leaves', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-a-a-|', ucwa);
      const sourceSubs = '            ^---!';
      const unsub = '                 ----!';
      const expected = '              -a-a-';

      expectObservable(source.pipe(ofHref('/ucwa/v1/people/sara%40contoso.com')), unsub).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should drop what is malformed', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('0123456789a|', { ...malformed, ...ucwa });
      const expected = '              ----------a|';

      expectObservable(source.pipe(ofHref('/ucwa/v1/people/sara%40contoso.com'))).toBe(expected, ucwa);
    });
  });

  it('should know the resource again however the server writes its href', () => {
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

  it('should refuse what is no URL', () => {
    expect(() => ofHref('')).to.throw(TypeError, 'ofHref(href) must be an absolute or relative URL');
    expect(() => ofHref('http://[')).to.throw(TypeError, 'but it is "http://["');
    expect(() => ofHref(undefined as unknown as string)).to.throw(TypeError, 'but it is undefined');
  });

  it('should narrow the type', () => {
    const source = of<UcwaEvent[]>(ucwa.a);
    expectTypeOf(source.pipe(ofHref('/people'))).toEqualTypeOf<Observable<UcwaEvent>>();
    expectTypeOf(source.pipe(added(), ofHref('/people'))).toEqualTypeOf<
      Observable<Extract<UcwaEvent, { readonly type: 'added' }>>
    >();
  });
});
