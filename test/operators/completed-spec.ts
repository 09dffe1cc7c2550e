import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import { completed } from '../../operators/completed.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { malformed, type UcwaEvent, ucwa } from './events.ts';

describe('completed', () => {
  it('should emit what completed, and nothing else', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-s-u-c-a-d-c-|', ucwa);
      const sourceSubs = '            ^------------!';
      const expected = '              -----c-----c-|';

      expectObservable(source.pipe(completed())).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit a single one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('--c--|', ucwa);
      const sourceSubs = '            ^----!';
      const expected = '              --c--|';

      expectObservable(source.pipe(completed())).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete without an event where none fits', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-d-x-s-|', ucwa);
      const sourceSubs = '            ^----------!';
      const expected = '              -----------|';

      expectObservable(source.pipe(completed())).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(completed())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(completed())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should pass the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-c--#', ucwa, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -c--#';

      expectObservable(source.pipe(completed())).toBe(expected, ucwa, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should unsubscribe from the source when its subscriber leaves', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-c-c-c-|', ucwa);
      const sourceSubs = '            ^---!';
      const unsub = '                 ----!';
      const expected = '              -c-c-';

      expectObservable(source.pipe(completed()), unsub).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should drop what is malformed', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('0123456789c|', { ...malformed, ...ucwa });
      const expected = '              ----------c|';

      expectObservable(source.pipe(completed())).toBe(expected, ucwa);
    });
  });

  it('should not complete because an operation did', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('-c-----', ucwa);
      const expected = '              -c-----';

      expectObservable(source.pipe(completed())).toBe(expected, ucwa);
    });
  });

  it('should narrow the type', () => {
    const source = of<UcwaEvent[]>(ucwa.a);
    expectTypeOf(source.pipe(completed())).toEqualTypeOf<
      Observable<Extract<UcwaEvent, { readonly type: 'completed' }>>
    >();
  });
});
