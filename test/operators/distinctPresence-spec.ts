import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { of, type Observable } from 'rxjs';
import { distinctPresence, type DistinctPresenceOptions } from '../../operators/distinctPresence.ts';
import { marbleDiagram } from '../support/marbles/marbleDiagram.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { type ContactState, malformed, states } from './contactStates.ts';
import { type UcwaEvent, ucwa } from './events.ts';

describe('distinctPresence', () => {
  const presenceOf = ({ uri, availability }: ContactState): string =>
    `${uri.slice('sip:'.length, uri.indexOf('@'))} ${availability}`;
  marbleDiagram(
    'distinctPresence',
    'distinctPresence()',
    ({ cold, record }) =>
      record('source', cold<ContactState>('-b-j-c-o-b-|', states), presenceOf).pipe(distinctPresence()),
    presenceOf,
  );

  it('drops a repeated presence of a contact', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('-b-c-m-m-b-o-o-|', states);
      const sourceSubs = '               ^--------------!';
      const expected = '                 -b---m---b-o---|';

      expectObservable(source.pipe(distinctPresence())).toBe(expected, states);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('compares each contact separately', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<ContactState>('-b-j-c-j-k-b-|', states);
      const expected = '                 -b-j-----k---|';

      expectObservable(source.pipe(distinctPresence())).toBe(expected, states);
    });
  });

  it('recognizes every spelling of a contact', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<ContactState>('-o-u-b-u-|', states);
      const expected = '                 -o---b-u-|';

      expectObservable(source.pipe(distinctPresence())).toBe(expected, states);
    });
  });

  it('treats an unknown presence as a presence', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<ContactState>('-j-x-x-j-|', states);
      const expected = '                 -j-x---j-|';

      expectObservable(source.pipe(distinctPresence())).toBe(expected, states);
    });
  });

  it('emits a single value', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('--b--|', states);
      const sourceSubs = '               ^----!';
      const expected = '                 --b--|';

      expectObservable(source.pipe(distinctPresence())).toBe(expected, states);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('never emits if the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('-');
      const sourceSubs = '               ^';
      const expected = '                 -';

      expectObservable(source.pipe(distinctPresence())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('completes when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('|');
      const sourceSubs = '               (^!)';
      const expected = '                 |';

      expectObservable(source.pipe(distinctPresence())).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('errors when the source does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('-b-c#', states, new Error('connection lost'));
      const sourceSubs = '               ^---!';
      const expected = '                 -b--#';

      expectObservable(source.pipe(distinctPresence())).toBe(expected, states, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('unsubscribes from the source when its subscriber does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<ContactState>('-b-o-b-|', states);
      const sourceSubs = '               ^---!';
      const unsub = '                    ----!';
      const expected = '                 -b-o-';

      expectObservable(source.pipe(distinctPresence()), unsub).toBe(expected, states);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('starts without memory for each subscriber', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const distinct = cold<ContactState>('-b-c-|', states).pipe(distinctPresence());

      expectObservable(distinct).toBe('-b---|', states);
      expectObservable(distinct, '--^').toBe('---b---|', states);
    });
  });

  it('always passes values without a contact', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<ContactState>('0123456-6b|', { ...malformed, ...states });
      const expected = '                 0123456-6b|';

      expectObservable(source.pipe(distinctPresence())).toBe(expected, { ...malformed, ...states });
    });
  });

  it('compares by the given functions', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<ContactState>('-b-c-m-o-o-|', states);
      const device = '                   -b-c-m-----|';
      const growing = '                  -b-c-m-o---|';

      expectObservable(source.pipe(distinctPresence({ presence: ({ deviceType }) => [deviceType] }))).toBe(
        device,
        states,
      );
      expectObservable(
        source.pipe(distinctPresence({ presence: (state) => Object.values<unknown>({ ...state }) })),
      ).toBe(growing, states);
    });
  });

  it('accepts events', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('-a-a-u-d-a-|', ucwa);
      const expected = '              -a---u-d-a-|';

      expectObservable(
        source.pipe(distinctPresence({ contact: ({ link }) => link.href, presence: ({ type }) => [type] })),
      ).toBe(expected, ucwa);
    });
  });

  for (const name of ['contact', 'presence'] as const) {
    it(`errors if ${name} throws`, () => {
      const bug = new Error(`a bug in ${name}`);
      const options: DistinctPresenceOptions<ContactState> = {
        [name]: () => {
          throw bug;
        },
      };
      inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold<ContactState>('--b--|', states);
        const sourceSubs = '               ^-!';
        const expected = '                 --#';

        expectObservable(source.pipe(distinctPresence(options))).toBe(expected, undefined, bug);
        expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      });
    });

    it(`throws for a ${name} that is not a function`, () => {
      const options = { [name]: 'uri' } as DistinctPresenceOptions<ContactState>;
      expect(() => distinctPresence(options)).to.throw(
        TypeError,
        `distinctPresence.${name} must be a function, but it is "uri"`,
      );
    });
  }

  it('keeps the type', () => {
    expectTypeOf(of<ContactState[]>(states.b).pipe(distinctPresence())).toEqualTypeOf<
      Observable<ContactState>
    >();
    expectTypeOf(
      of<UcwaEvent[]>(ucwa.a).pipe(
        distinctPresence({ contact: ({ link }) => link.href, presence: ({ type }) => [type] }),
      ),
    ).toEqualTypeOf<Observable<UcwaEvent>>();
    // @ts-expect-error Events have no uri: the caller has to give the path of the contact.
    of<UcwaEvent[]>(ucwa.a).pipe(distinctPresence());
  });
});
