import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { map, of, type Observable, toArray } from 'rxjs';
import { toBoard, type ToBoardOptions } from '../../operators/toBoard.ts';
import { marbleDiagram } from '../support/marbles/marbleDiagram.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { type ContactState, malformed, states } from './contactStates.ts';
import { type UcwaEvent, ucwa } from './events.ts';

describe('toBoard', () => {
  const presenceOf = ({ uri, availability }: ContactState): string =>
    `${uri.slice('sip:'.length, uri.indexOf('@'))} ${availability}`;
  marbleDiagram(
    'toBoard',
    'toBoard()',
    ({ cold, record }) =>
      record('source', cold<ContactState>('-b-j-b-o-|', states), presenceOf).pipe(toBoard()),
    (board) => `{${[...board.values()].map(presenceOf).join(', ')}}`,
  );

  const { b, c, o, u, j, k } = states;
  const boards: Readonly<Record<string, ReadonlyMap<string, ContactState>>> = {
    b: new Map([[b.uri, b]]),
    o: new Map([[b.uri, o]]),
    u: new Map([[b.uri, u]]),
    1: new Map([
      [b.uri, b],
      [j.uri, j],
    ]),
    2: new Map([
      [b.uri, c],
      [j.uri, j],
    ]),
    3: new Map([
      [b.uri, c],
      [j.uri, k],
    ]),
  };

  it('emits the latest state of every contact on each change', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('-b-j-c-k-|', states);
      const sourceSubs = '               ^--------!';
      const expected = '                 -b-1-2-3-|';

      expectObservable(source.pipe(toBoard())).toBe(expected, boards);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('emits nothing for an equal state', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const again: ContactState = { ...b, lastActive: new Date(0) };
      const source = cold<ContactState>('-b-B-j-B-j-|', { ...states, B: again });
      const expected = '                 -b---1-----|';

      expectObservable(source.pipe(toBoard())).toBe(expected, boards);
    });
  });

  it('never changes an emitted Map', () => {
    const recorded: (readonly [board: unknown, copy: unknown])[] = [];
    of(b, j, c, k)
      .pipe(toBoard())
      .subscribe((board) => recorded.push([board, new Map(board)]));

    expect(recorded).to.have.length(4);
    expect(new Set(recorded.map(([board]) => board)).size).to.equal(4);
    for (const [board, copy] of recorded) expect(board).to.deep.equal(copy);
  });

  it('keeps the first spelling of a contact', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<ContactState>('-b-u-o-|', states);
      const expected = '                 -b-u-o-|';

      expectObservable(source.pipe(toBoard())).toBe(expected, boards);
    });
  });

  it('emits a single value', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('--b--|', states);
      const sourceSubs = '               ^----!';
      const expected = '                 --b--|';

      expectObservable(source.pipe(toBoard())).toBe(expected, boards);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('never emits if the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('-');
      const sourceSubs = '               ^';
      const expected = '                 -';

      expectObservable(source.pipe(toBoard())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('completes without a Map when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('|');
      const sourceSubs = '               (^!)';
      const expected = '                 |';

      expectObservable(source.pipe(toBoard())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('errors when the source does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('-b--#', states, new Error('connection lost'));
      const sourceSubs = '               ^---!';
      const expected = '                 -b--#';

      expectObservable(source.pipe(toBoard())).toBe(expected, boards, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('unsubscribes from the source when its subscriber does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('-b-j-c-|', states);
      const sourceSubs = '               ^---!';
      const unsub = '                    ----!';
      const expected = '                 -b-1-';

      expectObservable(source.pipe(toBoard()), unsub).toBe(expected, boards);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('starts with an empty Map for each subscriber', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const board = cold<ContactState>('-b-j-|', states).pipe(toBoard());

      expectObservable(board).toBe('-b-1-|', boards);
      expectObservable(board, '--^').toBe('---b-1-|', boards);
    });
  });

  it('ignores values without a contact', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<ContactState>('0123456b|', { ...malformed, ...states });
      const expected = '                 -------b|';

      expectObservable(source.pipe(toBoard())).toBe(expected, boards);
    });
  });

  describe('with options', () => {
    const counting: ToBoardOptions<UcwaEvent, number> = {
      contact: ({ link }) => (link.rel === 'contact' ? link.href : undefined),
      state: (before = 0, { type }) =>
        type === 'deleted' ? undefined : type === 'updated' ? before : before + 1,
    };
    const { href } = ucwa.a.link;

    it('reduces events to states and removes contacts', () => {
      inVirtualTime(({ cold, expectObservable }) => {
        const source = cold<UcwaEvent>('-a-a-u-d-d-a-s-|', ucwa);
        const expected = '              -1-2---0---1---|';

        expectObservable(source.pipe(toBoard(counting))).toBe(expected, {
          0: new Map(),
          1: new Map([[href, 1]]),
          2: new Map([[href, 2]]),
        });
      });
    });

    it('uses the new spelling of a contact that was removed', () => {
      const spelled = (type: string, spelling: string): UcwaEvent => ({
        ...ucwa.a,
        type,
        link: { rel: 'contact', href: spelling },
      });
      let keys: string[][] = [];
      of(spelled('added', '/people/1'), spelled('deleted', '/People/1'), spelled('added', '/PEOPLE/1'))
        .pipe(
          toBoard(counting),
          map((board) => [...board.keys()]),
          toArray(),
        )
        .subscribe((all) => (keys = all));

      expect(keys).to.deep.equal([['/people/1'], [], ['/PEOPLE/1']]);
    });

    for (const name of ['contact', 'state'] as const) {
      it(`errors if ${name} throws`, () => {
        const bug = new Error(`a bug in ${name}`);
        const failing: typeof counting = {
          ...counting,
          [name]: () => {
            throw bug;
          },
        };
        inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
          const source = cold<UcwaEvent>('--a--|', ucwa);
          const sourceSubs = '            ^-!';
          const expected = '              --#';

          expectObservable(source.pipe(toBoard(failing))).toBe(expected, undefined, bug);
          expectSubscriptions(source.subscriptions).toBe(sourceSubs);
        });
      });

      it(`throws for a ${name} that is not a function`, () => {
        const wrong = { ...counting, [name]: undefined } as unknown as typeof counting;
        expect(() => toBoard(wrong)).to.throw(
          TypeError,
          `toBoard.${name} must be a function, but it is undefined`,
        );
      });
    }
  });

  it('has the type of a read-only Map', () => {
    expectTypeOf(of<ContactState[]>(b).pipe(toBoard())).toEqualTypeOf<
      Observable<ReadonlyMap<string, ContactState>>
    >();
    expectTypeOf(
      of<UcwaEvent[]>(ucwa.a).pipe(
        toBoard({
          contact: (event) => event.link.href,
          state: (before: string | undefined, event) => before ?? event.type,
        }),
      ),
    ).toEqualTypeOf<Observable<ReadonlyMap<string, string>>>();
    // @ts-expect-error Events have no uri: the caller has to give the path of the contact.
    of<UcwaEvent[]>(ucwa.a).pipe(toBoard());
  });
});
