import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import { inFolder } from '../../operators/inFolder.ts';
import { marbleDiagram } from '../support/marbles/marbleDiagram.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { behavesLikeAFilter } from './behavesLikeAFilter.ts';
import { archive, inbox, mail, type MailEvent, malformed } from './mailboxEvents.ts';

describe('inFolder', () => {
  const folderOf = (event: MailEvent): string => {
    if (event.type === 'gap') return 'gap';
    if (event.type === 'moved') return 'inbox → archive';
    return 'parentFolder' in event && event.parentFolder === inbox ? 'inbox' : 'archive';
  };
  marbleDiagram(
    'inFolder',
    'inFolder(inbox)',
    ({ cold, record }) =>
      record('source, by folder', cold<MailEvent>('-n-d-v-g-d-|', mail), folderOf).pipe(inFolder(inbox)),
    folderOf,
  );

  it('emits events in, into and out of the folder, and gaps', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-k-m-v-p-d-f-b-s-g-|', mail);
      const sourceSubs = '            ^--------------------!';
      const expected = '              -n-k-m-v-p---------g-|';

      expectObservable(source.pipe(inFolder(inbox))).toBe(expected, mail);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  behavesLikeAFilter<MailEvent, MailEvent>(() => inFolder<MailEvent>(inbox), {
    passing: mail.n,
    dropped: mail.d,
    malformed,
  });

  it('accepts a plain id', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-n-v-p-d-|', mail);
      const expected = '              ---v-p-d-|';

      expectObservable(source.pipe(inFolder(archive.id))).toBe(expected, mail);
    });
  });

  it('is case-sensitive', () => {
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
    it(`throws for ${JSON.stringify(value)}`, () => {
      expect(() => inFolder(value as string)).to.throw(TypeError, message);
    });
  }

  it('keeps the type', () => {
    expectTypeOf(of<MailEvent[]>(mail.n).pipe(inFolder(inbox))).toEqualTypeOf<Observable<MailEvent>>();
  });
});
