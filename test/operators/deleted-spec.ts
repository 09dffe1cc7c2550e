import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import { deleted } from '../../operators/deleted.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { behavesLikeAFilter } from './behavesLikeAFilter.ts';
import { type EwsEvent, ews, malformed, type UcwaEvent, ucwa } from './events.ts';

describe('deleted', () => {
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
