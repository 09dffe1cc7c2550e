import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { EMPTY, map, of, type Observable } from 'rxjs';
import { ofType } from '../../operators/ofType.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { type EwsEvent, ews, malformed, type UcwaEvent, ucwa } from './events.ts';

describe('ofType', () => {
  it('should emit the events of the types, and nothing else', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-d-x-s-c-|', ucwa);
      const sourceSubs = '            ^------------!';
      const expected = '              -a---d-x-----|';

      expectObservable(source.pipe(ofType('added', 'deleted'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit a single one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('--a--|', ucwa);
      const sourceSubs = '            ^----!';
      const expected = '              --a--|';

      expectObservable(source.pipe(ofType('added', 'deleted'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete without an event where none fits', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-u-s-c-|', ucwa);
      const sourceSubs = '            ^------!';
      const expected = '              -------|';

      expectObservable(source.pipe(ofType('added', 'deleted'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(ofType('added', 'deleted'))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(ofType('added', 'deleted'))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should pass the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a--#', ucwa, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -a--#';

      expectObservable(source.pipe(ofType('added', 'deleted'))).toBe(
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

      expectObservable(source.pipe(ofType('added', 'deleted')), unsub).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should drop what is malformed', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('0123456789a|', { ...malformed, ...ucwa });
      const expected = '              ----------a|';

      expectObservable(source.pipe(ofType('added', 'deleted'))).toBe(expected, ucwa);
    });
  });

  it('should serve the events of EWS as well', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<EwsEvent>('-n-k-d-g-|', ews);
      const expected = '             -n-----g-|';

      expectObservable(source.pipe(ofType('newMail', 'gap'))).toBe(expected, ews);
    });
  });

  it('should tell types apart by case', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<{ type: string }>('-a-|', { a: { type: 'Added' } });
      const expected = '                     ---|';

      expectObservable(source.pipe(ofType('added'))).toBe(expected);
    });
  });

  it('should refuse to be made without types, or with one that is no name', () => {
    expect(() => ofType()).to.throw(TypeError, 'ofType(...types) must be at least one name');
    expect(() => ofType('added', '')).to.throw(TypeError, 'ofType(...types) must be a string, and not empty');
    expect(() => ofType(7 as unknown as string)).to.throw(TypeError, 'but it is 7');
  });

  it('should narrow the type', () => {
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
