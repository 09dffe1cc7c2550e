import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import { started } from '../../operators/started.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { malformed, type UcwaEvent, ucwa } from './events.ts';

describe('started', () => {
  it('should emit what started, and nothing else', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-s-u-c-s-a-d-|', ucwa);
      const sourceSubs = '            ^------------!';
      const expected = '              -s-----s-----|';

      expectObservable(source.pipe(started())).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit a single one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('--s--|', ucwa);
      const sourceSubs = '            ^----!';
      const expected = '              --s--|';

      expectObservable(source.pipe(started())).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete without an event where none fits', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-d-x-c-|', ucwa);
      const sourceSubs = '            ^----------!';
      const expected = '              -----------|';

      expectObservable(source.pipe(started())).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(started())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(started())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should pass the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-s--#', ucwa, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -s--#';

      expectObservable(source.pipe(started())).toBe(expected, ucwa, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should unsubscribe from the source when its subscriber leaves', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-s-s-s-|', ucwa);
      const sourceSubs = '            ^---!';
      const unsub = '                 ----!';
      const expected = '              -s-s-';

      expectObservable(source.pipe(started()), unsub).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should drop what is malformed', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('0123456789s|', { ...malformed, ...ucwa });
      const expected = '              ----------s|';

      expectObservable(source.pipe(started())).toBe(expected, ucwa);
    });
  });

  it('should narrow the type', () => {
    const source = of<UcwaEvent[]>(ucwa.a);
    expectTypeOf(source.pipe(started())).toEqualTypeOf<
      Observable<Extract<UcwaEvent, { readonly type: 'started' }>>
    >();
  });
});
