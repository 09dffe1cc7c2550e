import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import { untilDeleted } from '../../operators/untilDeleted.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { malformed, type UcwaEvent, ucwa } from './events.ts';

describe('untilDeleted', () => {
  const href = '/ucwa/v1/people/sara%40contoso.com';

  it('should complete behind the event by which the resource was deleted', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-x-d-a-|', ucwa);
      const sourceSubs = '            ^------!';
      const expected = '              -a-u-x-(d|)';

      expectObservable(source.pipe(untilDeleted(href))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit that event even where it is the only one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('--d--|', ucwa);
      const sourceSubs = '            ^-!';
      const expected = '              --(d|)';

      expectObservable(source.pipe(untilDeleted(href))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should go on while others are deleted', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-x-u-s-c-|', ucwa);
      const sourceSubs = '            ^----------!';
      const expected = '              -a-x-u-s-c-|';

      expectObservable(source.pipe(untilDeleted(href))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(untilDeleted(href))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(untilDeleted(href))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should pass the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a--#', ucwa, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -a--#';

      expectObservable(source.pipe(untilDeleted(href))).toBe(expected, ucwa, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should unsubscribe from the source when its subscriber leaves', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-a-a-|', ucwa);
      const sourceSubs = '            ^---!';
      const unsub = '                 ----!';
      const expected = '              -a-a-';

      expectObservable(source.pipe(untilDeleted(href)), unsub).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should know the resource again however the server writes its href', () => {
    const spellings = [
      '/UCWA/v1/people/Sara@Contoso.com',
      'https://pool.contoso.com/ucwa/v1/people/sara%40contoso.com',
    ];
    for (const spelling of spellings) {
      inVirtualTime(({ cold, expectObservable }) => {
        const source = cold<UcwaEvent>('-a-d-a-|', ucwa);
        const expected = '              -a-(d|)';

        expectObservable(source.pipe(untilDeleted(spelling))).toBe(expected, ucwa);
      });
    }
  });

  it('should let pass what is malformed', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const values = { ...malformed, ...ucwa };
      const source = cold<UcwaEvent>('0123456789d|', values);
      const expected = '              0123456789(d|)';

      expectObservable(source.pipe(untilDeleted(href))).toBe(expected, values);
    });
  });

  it('should refuse what is no URL', () => {
    expect(() => untilDeleted('')).to.throw(
      TypeError,
      'untilDeleted(href) must be an absolute or relative URL',
    );
    expect(() => untilDeleted('http://[')).to.throw(TypeError, 'but it is "http://["');
    expect(() => untilDeleted(undefined as unknown as string)).to.throw(TypeError, 'but it is undefined');
  });

  it('should keep the type', () => {
    expectTypeOf(of<UcwaEvent[]>(ucwa.a).pipe(untilDeleted('/people'))).toEqualTypeOf<
      Observable<UcwaEvent>
    >();
  });
});
