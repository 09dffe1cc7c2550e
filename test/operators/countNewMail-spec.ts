import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import { countNewMail, type NewMailCount } from '../../operators/countNewMail.ts';
import { marbleDiagram } from '../support/marbles/marbleDiagram.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { mail, type MailEvent, malformed } from './mailboxEvents.ts';

describe('countNewMail', () => {
  marbleDiagram(
    'countNewMail',
    'countNewMail()',
    ({ cold, record }) =>
      record('source', cold<MailEvent>('-n-k-n-g-n-|', mail), ({ type }) => type).pipe(countNewMail()),
    ({ count, exact }) => (exact ? `${count}` : `at least ${count}`),
  );

  const counts: Readonly<Record<string, NewMailCount>> = {
    1: { count: 1, exact: true },
    2: { count: 2, exact: true },
    z: { count: 0, exact: false },
    o: { count: 1, exact: false },
    t: { count: 2, exact: false },
  };

  it('counts new mail only', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-k-m-v-n-d-f-b-s-|', mail);
      const sourceSubs = '            ^------------------!';
      const expected = '              -1-------2---------|';

      expectObservable(source.pipe(countNewMail())).toBe(expected, counts);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('counts a single message', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('--n--|', mail);
      const sourceSubs = '            ^----!';
      const expected = '              --1--|';

      expectObservable(source.pipe(countNewMail())).toBe(expected, counts);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('is inexact from a gap on', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-n-g-n-s-g-|', mail);
      const expected = '              -1-o-t---t-|';

      expectObservable(source.pipe(countNewMail())).toBe(expected, counts);
    });
  });

  it('is inexact after a gap before the first mail', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-g-n-|', mail);
      const expected = '              -z-o-|';

      expectObservable(source.pipe(countNewMail())).toBe(expected, counts);
    });
  });

  it('completes without a count if no mail arrives', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-k-m-s-|', mail);
      const sourceSubs = '            ^------!';
      const expected = '              -------|';

      expectObservable(source.pipe(countNewMail())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('never emits if the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(countNewMail())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('completes when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(countNewMail())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('errors when the source does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n--#', mail, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -1--#';

      expectObservable(source.pipe(countNewMail())).toBe(expected, counts, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('unsubscribes from the source when its subscriber does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-n-n-|', mail);
      const sourceSubs = '            ^---!';
      const unsub = '                 ----!';
      const expected = '              -1-2-';

      expectObservable(source.pipe(countNewMail()), unsub).toBe(expected, counts);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('starts at zero for each subscriber', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const counted = cold<MailEvent>('-n-n-|', mail).pipe(countNewMail());

      expectObservable(counted).toBe('-1-2-|', counts);
      expectObservable(counted, '--^------').toBe('---1-2-|', counts);
    });
  });

  it('does not count malformed events', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('012345678n|', { ...malformed, ...mail });
      const expected = '              ---------1|';

      expectObservable(source.pipe(countNewMail())).toBe(expected, counts);
    });
  });

  it('has the type of a count', () => {
    expectTypeOf(of<MailEvent[]>(mail.n).pipe(countNewMail())).toEqualTypeOf<Observable<NewMailCount>>();
  });
});
