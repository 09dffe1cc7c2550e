import { expectTypeOf } from 'expect-type';
import { map, of, type Observable } from 'rxjs';
import { itemEvents } from '../../operators/itemEvents.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { mail, type MailEvent, malformed } from './mailboxEvents.ts';

describe('itemEvents', () => {
  it('should emit the events about items, and nothing else', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-k-m-v-p-d-f-b-s-g-|', mail);
      const sourceSubs = '            ^--------------------!';
      const expected = '              -n-k-m-v-p-d---------|';

      expectObservable(source.pipe(itemEvents())).toBe(expected, mail);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit a single one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('--n--|', mail);
      const sourceSubs = '            ^----!';
      const expected = '              --n--|';

      expectObservable(source.pipe(itemEvents())).toBe(expected, mail);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete without an event where none fits', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-f-b-s-g-|', mail);
      const sourceSubs = '            ^--------!';
      const expected = '              ---------|';

      expectObservable(source.pipe(itemEvents())).toBe(expected, mail);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(itemEvents())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(itemEvents())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should pass the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n--#', mail, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -n--#';

      expectObservable(source.pipe(itemEvents())).toBe(expected, mail, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should unsubscribe from the source when its subscriber leaves', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-n-n-|', mail);
      const sourceSubs = '            ^---!';
      const unsub = '                 ----!';
      const expected = '              -n-n-';

      expectObservable(source.pipe(itemEvents()), unsub).toBe(expected, mail);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should drop what is malformed', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('012345678n|', { ...malformed, ...mail });
      const expected = '              ---------n|';

      expectObservable(source.pipe(itemEvents())).toBe(expected, mail);
    });
  });

  it('should narrow the type', () => {
    const items$ = of<MailEvent[]>(mail.n).pipe(itemEvents());
    expectTypeOf(items$.pipe(map(({ item }) => item.id))).toEqualTypeOf<Observable<string>>();
    expectTypeOf(items$.pipe(map(({ type }) => type))).toEqualTypeOf<
      Observable<Exclude<MailEvent['type'], 'status' | 'gap'>>
    >();
  });
});
