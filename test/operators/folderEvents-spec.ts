import { expectTypeOf } from 'expect-type';
import { map, of, type Observable } from 'rxjs';
import { folderEvents } from '../../operators/folderEvents.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { mail, type MailEvent, malformed } from './mailboxEvents.ts';

describe('folderEvents', () => {
  it('should emit the events about folders, and nothing else', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-k-m-v-p-d-f-b-s-g-|', mail);
      const sourceSubs = '            ^--------------------!';
      const expected = '              -------------f-------|';

      expectObservable(source.pipe(folderEvents())).toBe(expected, mail);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit a single one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('--f--|', mail);
      const sourceSubs = '            ^----!';
      const expected = '              --f--|';

      expectObservable(source.pipe(folderEvents())).toBe(expected, mail);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete without an event where none fits', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-b-s-g-|', mail);
      const sourceSubs = '            ^--------!';
      const expected = '              ---------|';

      expectObservable(source.pipe(folderEvents())).toBe(expected, mail);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(folderEvents())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(folderEvents())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should pass the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-f--#', mail, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -f--#';

      expectObservable(source.pipe(folderEvents())).toBe(expected, mail, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should unsubscribe from the source when its subscriber leaves', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-f-f-f-|', mail);
      const sourceSubs = '            ^---!';
      const unsub = '                 ----!';
      const expected = '              -f-f-';

      expectObservable(source.pipe(folderEvents()), unsub).toBe(expected, mail);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should drop what is malformed', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('012345678f|', { ...malformed, ...mail });
      const expected = '              ---------f|';

      expectObservable(source.pipe(folderEvents())).toBe(expected, mail);
    });
  });

  it('should narrow the type', () => {
    const folders$ = of<MailEvent[]>(mail.f).pipe(folderEvents());
    expectTypeOf(folders$.pipe(map(({ folder }) => folder.id))).toEqualTypeOf<Observable<string>>();
    expectTypeOf(folders$.pipe(map(({ type }) => type))).toEqualTypeOf<
      Observable<Exclude<MailEvent['type'], 'status' | 'gap'>>
    >();
  });
});
