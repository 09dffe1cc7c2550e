import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import { added } from '../../operators/added.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { malformed, type UcwaEvent, ucwa } from './events.ts';

describe('added', () => {
  it('should emit what was added, and nothing else', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-d-a-s-c-|', ucwa);
      const sourceSubs = '            ^------------!';
      const expected = '              -a-----a-----|';

      expectObservable(source.pipe(added())).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit a single one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('--a--|', ucwa);
      const sourceSubs = '            ^----!';
      const expected = '              --a--|';

      expectObservable(source.pipe(added())).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete without an event where none fits', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-u-d-x-s-c-|', ucwa);
      const sourceSubs = '            ^----------!';
      const expected = '              -----------|';

      expectObservable(source.pipe(added())).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(added())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(added())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should pass the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a--#', ucwa, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -a--#';

      expectObservable(source.pipe(added())).toBe(expected, ucwa, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should unsubscribe from the source when its subscriber leaves', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-a-a-|', ucwa);
      const sourceSubs = '            ^---!';
      const unsub = '                 ----!';
      const expected = '              -a-a-';

      expectObservable(source.pipe(added()), unsub).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should drop what is malformed', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('0123456789a|', { ...malformed, ...ucwa });
      const expected = '              ----------a|';

      expectObservable(source.pipe(added())).toBe(expected, ucwa);
    });
  });

  it('should narrow the type', () => {
    const source = of<UcwaEvent[]>(ucwa.a);
    expectTypeOf(source.pipe(added())).toEqualTypeOf<
      Observable<Extract<UcwaEvent, { readonly type: 'added' }>>
    >();
  });
});
