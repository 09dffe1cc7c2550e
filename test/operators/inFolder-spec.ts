import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import { inFolder } from '../../operators/inFolder.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { archive, inbox, mail, type MailEvent, malformed } from './mailboxEvents.ts';

describe('inFolder', () => {
  it('should emit what happened in the folder, came to it or left it, and gaps', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-k-m-v-p-d-f-b-s-g-|', mail);
      const sourceSubs = '            ^--------------------!';
      const expected = '              -n-k-m-v-p---------g-|';

      expectObservable(source.pipe(inFolder(inbox))).toBe(expected, mail);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit a single one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('--n--|', mail);
      const sourceSubs = '            ^----!';
      const expected = '              --n--|';

      expectObservable(source.pipe(inFolder(inbox))).toBe(expected, mail);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete without an event where none fits', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-d-f-b-s-|', mail);
      const sourceSubs = '            ^--------!';
      const expected = '              ---------|';

      expectObservable(source.pipe(inFolder(inbox))).toBe(expected, mail);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(inFolder(inbox))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(inFolder(inbox))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should pass the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n--#', mail, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -n--#';

      expectObservable(source.pipe(inFolder(inbox))).toBe(expected, mail, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should unsubscribe from the source when its subscriber leaves', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-n-n-|', mail);
      const sourceSubs = '            ^---!';
      const unsub = '                 ----!';
      const expected = '              -n-n-';

      expectObservable(source.pipe(inFolder(inbox)), unsub).toBe(expected, mail);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should drop what is malformed', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('012345678n|', { ...malformed, ...mail });
      const expected = '              ---------n|';

      expectObservable(source.pipe(inFolder(inbox))).toBe(expected, mail);
    });
  });

  it('should take the id alone as well', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-n-v-p-d-|', mail);
      const expected = '              ---v-p-d-|';

      expectObservable(source.pipe(inFolder(archive.id))).toBe(expected, mail);
    });
  });

  it('should not take ids that differ in case for the same', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-n-|', mail);
      const expected = '              ---|';

      expectObservable(source.pipe(inFolder(inbox.id.toLowerCase()))).toBe(expected);
    });
  });

  const bad: readonly [value: unknown, message: string][] = [
    ['', 'inFolder(folder) must be the id of a folder, not empty, but it is ""'],
    [{ id: '' }, 'inFolder(folder) must be the id of a folder, not empty, but it is an object'],
    [{}, 'but it is an object'],
    [null, 'but it is null'],
    [undefined, 'but it is undefined'],
    [7, 'but it is 7'],
  ];
  for (const [value, message] of bad) {
    it(`should refuse ${JSON.stringify(value)}`, () => {
      expect(() => inFolder(value as string)).to.throw(TypeError, message);
    });
  }

  it('should keep the type', () => {
    expectTypeOf(of<MailEvent[]>(mail.n).pipe(inFolder(inbox))).toEqualTypeOf<Observable<MailEvent>>();
  });
});
