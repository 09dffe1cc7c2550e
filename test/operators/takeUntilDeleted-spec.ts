import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import { takeUntilDeleted } from '../../operators/takeUntilDeleted.ts';
import { marbleDiagram } from '../support/marbles/marbleDiagram.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { malformed, type UcwaEvent, ucwa } from './events.ts';

describe('takeUntilDeleted', () => {
  const typeAndHref = ({ type, link }: { type: string; link: { href: string } }): string =>
    `${type} ${link.href}`;
  const people = {
    u: { type: 'updated', link: { rel: 'contact', href: '/people/1' } },
    2: { type: 'deleted', link: { rel: 'contact', href: '/people/2' } },
    1: { type: 'deleted', link: { rel: 'contact', href: '/people/1' } },
  };
  marbleDiagram(
    'takeUntilDeleted',
    "takeUntilDeleted('/people/1')",
    ({ cold, record }) =>
      record('source', cold('-u-2-1-u-|', people), typeAndHref).pipe(takeUntilDeleted('/people/1')),
    typeAndHref,
  );

  const href = '/ucwa/v1/people/sara%40contoso.com';

  it('completes with the deleted event of the resource', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-x-d-a-|', ucwa);
      const sourceSubs = '            ^------!';
      const expected = '              -a-u-x-(d|)';

      expectObservable(source.pipe(takeUntilDeleted(href))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('emits the deleted event even if it is the first', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('--d--|', ucwa);
      const sourceSubs = '            ^-!';
      const expected = '              --(d|)';

      expectObservable(source.pipe(takeUntilDeleted(href))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('continues when other resources are deleted', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-x-u-s-c-|', ucwa);
      const sourceSubs = '            ^----------!';
      const expected = '              -a-x-u-s-c-|';

      expectObservable(source.pipe(takeUntilDeleted(href))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('never emits if the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(takeUntilDeleted(href))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('completes when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(takeUntilDeleted(href))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('errors when the source does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a--#', ucwa, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -a--#';

      expectObservable(source.pipe(takeUntilDeleted(href))).toBe(
        expected,
        ucwa,
        new Error('connection lost'),
      );
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('unsubscribes from the source when its subscriber does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-a-a-|', ucwa);
      const sourceSubs = '            ^---!';
      const unsub = '                 ----!';
      const expected = '              -a-a-';

      expectObservable(source.pipe(takeUntilDeleted(href)), unsub).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('recognizes every spelling of the href', () => {
    const spellings = [
      '/UCWA/v1/people/Sara@Contoso.com',
      'https://pool.contoso.com/ucwa/v1/people/sara%40contoso.com',
    ];
    for (const spelling of spellings) {
      inVirtualTime(({ cold, expectObservable }) => {
        const source = cold<UcwaEvent>('-a-d-a-|', ucwa);
        const expected = '              -a-(d|)';

        expectObservable(source.pipe(takeUntilDeleted(spelling))).toBe(expected, ucwa);
      });
    }
  });

  it('passes malformed events', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const values = { ...malformed, ...ucwa };
      const source = cold<UcwaEvent>('0123456789d|', values);
      const expected = '              0123456789(d|)';

      expectObservable(source.pipe(takeUntilDeleted(href))).toBe(expected, values);
    });
  });

  it('throws for an invalid URL', () => {
    expect(() => takeUntilDeleted('')).to.throw(
      TypeError,
      'takeUntilDeleted(href) must be an absolute or relative URL',
    );
    expect(() => takeUntilDeleted('http://[')).to.throw(TypeError, 'but it is "http://["');
    expect(() => takeUntilDeleted(undefined as unknown as string)).to.throw(TypeError, 'but it is undefined');
  });

  it('keeps the type', () => {
    expectTypeOf(of<UcwaEvent[]>(ucwa.a).pipe(takeUntilDeleted('/people'))).toEqualTypeOf<
      Observable<UcwaEvent>
    >();
  });
});
