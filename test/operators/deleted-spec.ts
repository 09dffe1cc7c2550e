import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import { deleted } from '../../operators/deleted.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { type EwsEvent, ews, malformed, type UcwaEvent, ucwa } from './events.ts';

describe('deleted', () => {
  it('should emit what was deleted, and nothing else', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-d-x-s-c-|', ucwa);
      const sourceSubs = '            ^------------!';
      const expected = '              -----d-x-----|';

      expectObservable(source.pipe(deleted())).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit a single one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('--d--|', ucwa);
      const sourceSubs = '            ^----!';
      const expected = '              --d--|';

      expectObservable(source.pipe(deleted())).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete without an event where none fits', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-s-c-|', ucwa);
      const sourceSubs = '            ^--------!';
      const expected = '              ---------|';

      expectObservable(source.pipe(deleted())).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(deleted())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(deleted())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should pass the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-d--#', ucwa, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -d--#';

      expectObservable(source.pipe(deleted())).toBe(expected, ucwa, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should unsubscribe from the source when its subscriber leaves', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-d-d-d-|', ucwa);
      const sourceSubs = '            ^---!';
      const unsub = '                 ----!';
      const expected = '              -d-d-';

      expectObservable(source.pipe(deleted()), unsub).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should drop what is malformed', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('0123456789d|', { ...malformed, ...ucwa });
      const expected = '              ----------d|';

      expectObservable(source.pipe(deleted())).toBe(expected, ucwa);
    });
  });

  it('should serve the events of EWS as well', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<EwsEvent>('-n-k-d-g-|', ews);
      const expected = '             -----d---|';

      expectObservable(source.pipe(deleted())).toBe(expected, ews);
    });
  });

  it('should narrow the type', () => {
    const source = of<UcwaEvent[]>(ucwa.a);
    expectTypeOf(source.pipe(deleted())).toEqualTypeOf<
      Observable<Extract<UcwaEvent, { readonly type: 'deleted' }>>
    >();

    expectTypeOf(of<EwsEvent[]>(ews.d).pipe(deleted())).toEqualTypeOf<
      Observable<Extract<EwsEvent, { readonly type: 'deleted' }>>
    >();
  });
});
