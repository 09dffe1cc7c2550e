import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { EMPTY, map, of, type Observable } from 'rxjs';
import { ofType, deleted } from '../../operators/ofType.ts';
import { marbleDiagram } from '../support/marbles/marbleDiagram.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { behavesLikeAFilter } from './behavesLikeAFilter.ts';
import { type EwsEvent, ews, malformed, type UcwaEvent, ucwa } from './events.ts';

const typeOf = ({ type }: UcwaEvent): string => type;

describe('ofType', () => {
  marbleDiagram(
    'ofType',
    "ofType('added', 'deleted')",
    ({ cold, record }) => record('source', cold('-a-u-d-a-|', ucwa), typeOf).pipe(ofType('added', 'deleted')),
    typeOf,
  );

  it('emits events of these types only', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-d-x-s-c-|', ucwa);
      const sourceSubs = '            ^------------!';
      const expected = '              -a---d-x-----|';

      expectObservable(source.pipe(ofType('added', 'deleted'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  behavesLikeAFilter<UcwaEvent, UcwaEvent>(() => ofType<UcwaEvent, 'added'>('added'), {
    passing: ucwa.a,
    dropped: ucwa.u,
    malformed,
  });

  it('accepts the events of EWS', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<EwsEvent>('-n-k-d-g-|', ews);
      const expected = '             -n-----g-|';

      expectObservable(source.pipe(ofType('newMail', 'gap'))).toBe(expected, ews);
    });
  });

  it('is case-sensitive', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<{ type: string }>('-a-|', { a: { type: 'Added' } });
      const expected = '                     ---|';

      expectObservable(source.pipe(ofType('added'))).toBe(expected);
    });
  });

  it('throws without types or for an empty type', () => {
    expect(() => ofType()).to.throw(TypeError, 'ofType(...types) must be at least one name');
    expect(() => ofType('added', '')).to.throw(TypeError, 'ofType(...types) must be a non-empty string');
    expect(() => ofType(7 as unknown as string)).to.throw(TypeError, 'but it is 7');
  });

  it('narrows the type', () => {
    const source = of<UcwaEvent[]>(ucwa.a);
    expectTypeOf(source.pipe(ofType('deleted'))).toEqualTypeOf<
      Observable<Extract<UcwaEvent, { readonly type: 'deleted' }>>
    >();
    expectTypeOf(source.pipe(ofType('deleted', 'added'))).toEqualTypeOf<
      Observable<Extract<UcwaEvent, { readonly type: 'deleted' | 'added' }>>
    >();
    // @ts-expect-error no event has this type
    expect(() => of<EwsEvent[]>(ews.n).pipe(ofType('newMial'))).not.to.throw();

    expectTypeOf(
      source.pipe(
        ofType('deleted', 'renamed'),
        ofType('renamed'),
        map(({ type }) => type),
      ),
    ).toEqualTypeOf<Observable<'renamed'>>();

    interface Loose {
      readonly type: string;
      readonly n: number;
    }
    const loose$: Observable<Loose> = EMPTY;
    expectTypeOf(loose$.pipe(ofType('gone'))).toEqualTypeOf<Observable<Loose & { readonly type: 'gone' }>>();

    interface Unsplit {
      readonly type: 'added' | 'deleted';
    }
    const unsplit$: Observable<Unsplit> = EMPTY;
    expectTypeOf(unsplit$.pipe(ofType('added'))).toEqualTypeOf<
      Observable<Unsplit & { readonly type: 'added' }>
    >();
  });
});

describe('deleted', () => {
  marbleDiagram(
    'deleted',
    'deleted()',
    ({ cold, record }) => record('source', cold('-a-u-d-a-|', ucwa), typeOf).pipe(deleted()),
    typeOf,
  );

  it('emits deleted events only', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-d-x-s-c-|', ucwa);
      const sourceSubs = '            ^------------!';
      const expected = '              -----d-x-----|';

      expectObservable(source.pipe(deleted())).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  behavesLikeAFilter<UcwaEvent, UcwaEvent>(() => deleted<UcwaEvent>(), {
    passing: ucwa.d,
    dropped: ucwa.a,
    malformed,
  });

  it('accepts the events of EWS', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<EwsEvent>('-n-k-d-g-|', ews);
      const expected = '             -----d---|';

      expectObservable(source.pipe(deleted())).toBe(expected, ews);
    });
  });

  it('narrows the type', () => {
    const source = of<UcwaEvent[]>(ucwa.a);
    expectTypeOf(source.pipe(deleted())).toEqualTypeOf<
      Observable<Extract<UcwaEvent, { readonly type: 'deleted' }>>
    >();

    expectTypeOf(of<EwsEvent[]>(ews.d).pipe(deleted())).toEqualTypeOf<
      Observable<Extract<EwsEvent, { readonly type: 'deleted' }>>
    >();
  });
});
