import { expectTypeOf } from 'expect-type';
import { map, of, type Observable } from 'rxjs';
import { itemEvents, folderEvents } from '../../operators/itemEvents.ts';
import { marbleDiagram } from '../support/marbles/marbleDiagram.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { behavesLikeAFilter } from './behavesLikeAFilter.ts';
import { mail, type MailEvent, malformed } from './mailboxEvents.ts';

const aboutOf = (event: MailEvent): string => {
  if ('folder' in event) return 'folder';
  return 'item' in event ? 'item' : event.type;
};

describe('itemEvents', () => {
  marbleDiagram(
    'itemEvents',
    'itemEvents()',
    ({ cold, record }) =>
      record('source', cold<MailEvent>('-n-f-g-d-|', mail), aboutOf).pipe(itemEvents<MailEvent>()),
    aboutOf,
  );

  it('emits events about items only', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-k-m-v-p-d-f-b-s-g-|', mail);
      const sourceSubs = '            ^--------------------!';
      const expected = '              -n-k-m-v-p-d---------|';

      expectObservable(source.pipe(itemEvents())).toBe(expected, mail);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  behavesLikeAFilter<MailEvent, MailEvent>(() => itemEvents<MailEvent>(), {
    passing: mail.n,
    dropped: mail.f,
    malformed,
  });

  it('narrows the type', () => {
    const items$ = of<MailEvent[]>(mail.n).pipe(itemEvents());
    expectTypeOf(items$.pipe(map(({ item }) => item.id))).toEqualTypeOf<Observable<string>>();
    expectTypeOf(items$.pipe(map(({ type }) => type))).toEqualTypeOf<
      Observable<Exclude<MailEvent['type'], 'status' | 'gap'>>
    >();
  });
});

describe('folderEvents', () => {
  marbleDiagram(
    'folderEvents',
    'folderEvents()',
    ({ cold, record }) =>
      record('source', cold<MailEvent>('-n-f-g-f-|', mail), aboutOf).pipe(folderEvents<MailEvent>()),
    aboutOf,
  );

  it('emits events about folders only', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-k-m-v-p-d-f-b-s-g-|', mail);
      const sourceSubs = '            ^--------------------!';
      const expected = '              -------------f-------|';

      expectObservable(source.pipe(folderEvents())).toBe(expected, mail);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  behavesLikeAFilter<MailEvent, MailEvent>(() => folderEvents<MailEvent>(), {
    passing: mail.f,
    dropped: mail.n,
    malformed,
  });

  it('narrows the type', () => {
    const folders$ = of<MailEvent[]>(mail.f).pipe(folderEvents());
    expectTypeOf(folders$.pipe(map(({ folder }) => folder.id))).toEqualTypeOf<Observable<string>>();
    expectTypeOf(folders$.pipe(map(({ type }) => type))).toEqualTypeOf<
      Observable<Exclude<MailEvent['type'], 'status' | 'gap'>>
    >();
  });
});
