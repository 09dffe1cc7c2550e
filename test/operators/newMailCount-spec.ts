import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import { newMailCount, type NewMailCount } from '../../operators/newMailCount.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { mail, type MailEvent, malformed } from './mailboxEvents.ts';

describe('newMailCount', () => {
  const counts: Readonly<Record<string, NewMailCount>> = {
    1: { count: 1, exact: true },
    2: { count: 2, exact: true },
    z: { count: 0, exact: false },
    o: { count: 1, exact: false },
    t: { count: 2, exact: false },
  };

  it('should count the new mail, and nothing else', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-k-m-v-n-d-f-b-s-|', mail);
      const sourceSubs = '            ^------------------!';
      const expected = '              -1-------2---------|';

      expectObservable(source.pipe(newMailCount())).toBe(expected, counts);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should count a single one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('--n--|', mail);
      const sourceSubs = '            ^----!';
      const expected = '              --1--|';

      expectObservable(source.pipe(newMailCount())).toBe(expected, counts);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should say at a gap, and from then on, that the count is not exact', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-n-g-n-s-g-|', mail);
      const expected = '              -1-o-t---t-|';

      expectObservable(source.pipe(newMailCount())).toBe(expected, counts);
    });
  });

  it('should say so at a gap before the first mail', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-g-n-|', mail);
      const expected = '              -z-o-|';

      expectObservable(source.pipe(newMailCount())).toBe(expected, counts);
    });
  });

  it('should complete without a count where no mail comes', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-k-m-s-|', mail);
      const sourceSubs = '            ^------!';
      const expected = '              -------|';

      expectObservable(source.pipe(newMailCount())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(newMailCount())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(newMailCount())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should pass the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n--#', mail, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -1--#';

      expectObservable(source.pipe(newMailCount())).toBe(expected, counts, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should unsubscribe from the source when its subscriber leaves', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-n-n-|', mail);
      const sourceSubs = '            ^---!';
      const unsub = '                 ----!';
      const expected = '              -1-2-';

      expectObservable(source.pipe(newMailCount()), unsub).toBe(expected, counts);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should count from zero for each subscriber', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const counted = cold<MailEvent>('-n-n-|', mail).pipe(newMailCount());

      expectObservable(counted).toBe('-1-2-|', counts);
      expectObservable(counted, '--^------').toBe('---1-2-|', counts);
    });
  });

  it('should not count what is malformed', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('012345678n|', { ...malformed, ...mail });
      const expected = '              ---------1|';

      expectObservable(source.pipe(newMailCount())).toBe(expected, counts);
    });
  });

  it('should have the type of a count', () => {
    expectTypeOf(of<MailEvent[]>(mail.n).pipe(newMailCount())).toEqualTypeOf<Observable<NewMailCount>>();
  });
});
