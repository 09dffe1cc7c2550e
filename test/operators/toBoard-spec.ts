import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { map, of, type Observable, toArray } from 'rxjs';
import { toBoard, type ToBoardOptions } from '../../operators/toBoard.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { type ContactState, malformed, states } from './contactStates.ts';
import { type UcwaEvent, ucwa } from './events.ts';

describe('toBoard', () => {
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

  it('should emit the last state of every contact whenever one changes', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('-b-j-c-k-|', states);
      const sourceSubs = '               ^--------!';
      const expected = '                 -b-1-2-3-|';

      expectObservable(source.pipe(toBoard())).toBe(expected, boards);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit nothing where a state says the same as before', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const again: ContactState = { ...b, lastActive: new Date(0) };
      const source = cold<ContactState>('-b-B-j-B-j-|', { ...states, B: again });
      const expected = '                 -b---1-----|';

      expectObservable(source.pipe(toBoard())).toBe(expected, boards);
    });
  });

  it('should never change a board that it has emitted', () => {
    const recorded: (readonly [board: unknown, copy: unknown])[] = [];
    of(b, j, c, k)
      .pipe(toBoard())
      .subscribe((board) => recorded.push([board, new Map(board)]));

    expect(recorded).to.have.length(4);
    expect(new Set(recorded.map(([board]) => board)).size).to.equal(4);
    for (const [board, copy] of recorded) expect(board).to.deep.equal(copy);
  });

  it('should keep a contact under the spelling that it came with first', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<ContactState>('-b-u-o-|', states);
      const expected = '                 -b-u-o-|';

      expectObservable(source.pipe(toBoard())).toBe(expected, boards);
    });
  });

  it('should emit a single one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('--b--|', states);
      const sourceSubs = '               ^----!';
      const expected = '                 --b--|';

      expectObservable(source.pipe(toBoard())).toBe(expected, boards);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('-');
      const sourceSubs = '               ^';
      const expected = '                 -';

      expectObservable(source.pipe(toBoard())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete without a board when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('|');
      const sourceSubs = '               (^!)';
      const expected = '                 |';

      expectObservable(source.pipe(toBoard())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should pass the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('-b--#', states, new Error('connection lost'));
      const sourceSubs = '               ^---!';
      const expected = '                 -b--#';

      expectObservable(source.pipe(toBoard())).toBe(expected, boards, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should unsubscribe from the source when its subscriber leaves', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('-b-j-c-|', states);
      const sourceSubs = '               ^---!';
      const unsub = '                    ----!';
      const expected = '                 -b-1-';

      expectObservable(source.pipe(toBoard()), unsub).toBe(expected, boards);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should begin with an empty board for each subscriber', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const board = cold<ContactState>('-b-j-|', states).pipe(toBoard());

      expectObservable(board).toBe('-b-1-|', boards);
      expectObservable(board, '--^').toBe('---b-1-|', boards);
    });
  });

  it('should leave out what is about no contact', () => {
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

    it('should make states of events, and take contacts off', () => {
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

    it('should list a contact that comes again under its new spelling', () => {
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
      it(`should make what ${name} throws the error of the result`, () => {
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

      it(`should refuse a ${name} that is no function`, () => {
        const wrong = { ...counting, [name]: undefined } as unknown as typeof counting;
        expect(() => toBoard(wrong)).to.throw(
          TypeError,
          `toBoard.${name} must be a function, but it is undefined`,
        );
      });
    }
  });

  it('should have the type of a board that is not to be changed', () => {
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
    // @ts-expect-error Events have no uri: where they say their contact has to be given.
    of<UcwaEvent[]>(ucwa.a).pipe(toBoard());
  });
});
