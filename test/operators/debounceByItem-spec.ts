import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { concat, count, interval, map, NEVER, of, type Observable, Subject, take } from 'rxjs';
import {
  debounceByItem,
  type DebounceByItemOptions,
  type BurstBuffer,
  burstBuffer,
  coalesceEvents,
} from '../../operators/debounceByItem.ts';
import { marbleDiagram } from '../support/marbles/marbleDiagram.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { mail, type MailEvent, malformed, subscriptionId } from './mailboxEvents.ts';
import fc from 'fast-check';

describe('debounceByItem', () => {
  const of2 = { subscriptionId, item: { id: 'AAMkCoffee' } };
  /** Beside those about one message, what happens to a second. */
  const events: Readonly<Record<string, MailEvent>> = {
    ...mail,
    N: { type: 'newMail', ...of2 },
    K: { type: 'created', ...of2 },
    M: { type: 'modified', ...of2 },
    D: { type: 'deleted', ...of2 },
  };

  const typeAndItem = (event: MailEvent): string => {
    if (!('item' in event)) return event.type;
    return `${event.type} ${event.item.id === of2.item.id ? 'B' : 'A'}`;
  };
  marbleDiagram(
    'debounceByItem',
    'debounceByItem(3000)',
    ({ cold, record }) =>
      record(
        'source',
        cold<MailEvent>('1s n 999ms k 999ms K 4999ms K 999ms g 999ms |', events),
        typeAndItem,
      ).pipe(debounceByItem(3000)),
    typeAndItem,
  );

  it('emits one event after a burst', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-nkm--m---------k-------|', events);
      const sourceSubs = '            ^-----------------------!';
      const expected = '              ----------n---------k---|';

      expectObservable(source.pipe(debounceByItem(4))).toBe(expected, events);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('emits a single value', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('--n-------|', events);
      const sourceSubs = '            ^---------!';
      const expected = '              ------n---|';

      expectObservable(source.pipe(debounceByItem(4))).toBe(expected, events);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('never emits if the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(debounceByItem(4))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('completes when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(debounceByItem(4))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('emits pending events when the source completes', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-K|', events);
      const sourceSubs = '            ^---!';
      const expected = '              ----(nK|)';

      expectObservable(source.pipe(debounceByItem(4))).toBe(expected, events);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('emits pending events before it errors', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-K#', events, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              ----(nK#)';

      expectObservable(source.pipe(debounceByItem(4))).toBe(expected, events, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('drops pending events and timers on unsubscribe', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n---K----', events);
      const sourceSubs = '            ^------!';
      const unsub = '                 -------!';
      const expected = '              -----n--';

      expectObservable(source.pipe(debounceByItem(4)), unsub).toBe(expected, events);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('unsubscribes from an endless synchronous source at once', () => {
    let asked = 0;
    const endless = function* (): Generator<MailEvent> {
      for (;;) {
        asked++;
        yield mail.s;
      }
    };
    inVirtualTime(({ expectObservable }) => {
      expectObservable(concat(endless(), NEVER).pipe(debounceByItem(4), take(2))).toBe('(ss|)', events);
    });
    expect(asked).to.equal(2);
  });

  it('debounces each item separately, in the order of the last events', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-nKkNM------n----|', events);
      const expected = '              -------n-N------n|';

      expectObservable(source.pipe(debounceByItem(4))).toBe(expected, events);
    });
  });

  it('debounces folders like items', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const more: typeof events = { ...events, F: { ...mail.f, unreadCount: 2 } as MailEvent };
      const source = cold<MailEvent>('-nfkF-------|', more);
      const expected = '              -------nF---|';

      expectObservable(source.pipe(debounceByItem(4))).toBe(expected, more);
    });
  });

  it('never merges or reorders across a gap or status', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-nK-g-m--s-k-----|', events);
      const expected = '              ----(nKg)(ms)--k-|';

      expectObservable(source.pipe(debounceByItem(4))).toBe(expected, events);
    });
  });

  it('emits a gap and a status at once if nothing is pending', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-g-s-b-|', events);
      const expected = '              -g-s-b-|';

      expectObservable(source.pipe(debounceByItem(4))).toBe(expected, events);
    });
  });

  it('keeps both events if neither implies the other', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const more: typeof events = {
        ...events,
        1: { type: 'moved', ...of2, oldParentFolder: { id: 'AAMkOne' } },
        2: { type: 'moved', ...of2, oldParentFolder: { id: 'AAMkTwo' } },
      };
      const source = cold<MailEvent>('-n1-2M------|', more);
      const expected = '              ----(n1)-2--|';

      expectObservable(source.pipe(debounceByItem(4))).toBe(expected, more);
    });
  });

  it('emits an item that never becomes quiet after longestMs', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('m-m-m-m-m-m-m-m-|', events);
      const expected = '              ------m-------m-|';

      expectObservable(source.pipe(debounceByItem(4, { longestMs: 6 }))).toBe(expected, events);
    });
  });

  it('emits it every ten quiet times by default', () => {
    inVirtualTime(({ expectObservable }) => {
      const source = interval(2).pipe(
        take(10_000),
        map(() => mail.m),
      );
      // A burst of 40 ms has 21 events.
      const recorded = Math.ceil(10_000 / 21);

      expectObservable(source.pipe(debounceByItem(4), count())).toBe('20s (t|)', { t: recorded });
    });
  });

  it('emits early beyond max items', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-nKf-----|', events);
      const expected = '              ---n--Kf-|';

      expectObservable(source.pipe(debounceByItem(4, { max: 2 }))).toBe(expected, events);
    });
  });

  it('buffers a thousand items by default', () => {
    const first = (much: number): MailEvent[] => {
      const recorded: MailEvent[] = [];
      const source$ = new Subject<MailEvent>();
      inVirtualTime(({ flush }) => {
        const subscription = source$.pipe(debounceByItem(4)).subscribe((event) => recorded.push(event));
        for (let index = 0; index < much; index++) {
          source$.next({ type: 'created', subscriptionId, item: { id: `AAMk${index}` } });
        }
        subscription.unsubscribe();
        flush();
      });
      return recorded;
    };
    expect(first(1000)).to.be.empty;
    expect(first(1001)).to.have.length(1);
  });

  it('merges synchronous events with a quiet time of 0', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-(nkK)--m-|', events);
      const expected = '              -(nK)---m-|';

      expectObservable(source.pipe(debounceByItem(0))).toBe(expected, events);
    });
  });

  it('keeps the order if a subscriber makes the source emit', () => {
    const source$ = new Subject<MailEvent>();
    const recorded: string[] = [];
    inVirtualTime(({ flush }) => {
      source$.pipe(debounceByItem(4)).subscribe((event) => {
        recorded.push(event.type);
        if (event.type === 'newMail') source$.next(mail.s);
        if (event.type === 'status') source$.next(mail.m);
      });
      source$.next(mail.n);
      source$.next(mail.f);
      source$.next(mail.g);
      flush();
    });
    expect(recorded).to.deep.equal(['newMail', 'modified', 'gap', 'status', 'modified']);
  });

  it('debounces an event that a subscriber makes the source emit', () => {
    const source$ = new Subject<MailEvent>();
    const recorded: string[] = [];
    inVirtualTime(({ flush }) => {
      source$.pipe(debounceByItem(4)).subscribe((event) => {
        recorded.push(event.type);
        if (event.type === 'newMail') source$.next(mail.d);
      });
      source$.next(mail.n);
      flush();
    });
    expect(recorded).to.deep.equal(['newMail', 'deleted']);
  });

  it('has separate buffers for its subscribers', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const settled = cold<MailEvent>('-n-m---|', events).pipe(debounceByItem(2));

      expectObservable(settled).toBe('     -----n-|', events);
      expectObservable(settled, '-^').toBe('------n-|', events);
    });
  });

  it('passes malformed events', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const values = { ...malformed, ...mail };
      const source = cold<MailEvent>('012345678n-|', values);
      const expected = '              012345678--(n|)';

      expectObservable(source.pipe(debounceByItem(4))).toBe(expected, values);
    });
  });

  it('accepts a custom merge', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-nkm------|', events);
      const last = '                  -------m--|';
      const none = '                  --nk---m--|';

      expectObservable(source.pipe(debounceByItem(4, { merge: (_, later) => later }))).toBe(last, events);
      expectObservable(source.pipe(debounceByItem(4, { merge: () => undefined }))).toBe(none, events);
    });
  });

  it('emits pending events and errors if merge throws', () => {
    const bug = new Error('a bug in merge');
    const merge = (): MailEvent => {
      throw bug;
    };
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-nK-k-----|', events);
      const sourceSubs = '            ^---!';
      const expected = '              ----(nK#)';

      expectObservable(source.pipe(debounceByItem(4, { merge }))).toBe(expected, events, bug);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('does not merge events of different subscriptions', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const more: typeof events = { ...events, o: { ...mail.n, subscriptionId: 'other' } };
      const source = cold<MailEvent>('-no-----|', more);
      const expected = '              -----no-|';

      expectObservable(source.pipe(debounceByItem(4))).toBe(expected, more);
    });
  });

  const bad: readonly [ms: unknown, options: object, message: RegExp][] = [
    [-1, {}, /debounceByItem\(ms\) must be a number from 0 to 2147483647, but it is -1/],
    [Infinity, {}, /debounceByItem\(ms\) .* Infinity/],
    ['3000', {}, /debounceByItem\(ms\) .* "3000"/],
    [3000, { max: 0 }, /debounceByItem\.max must be a whole number of at least 1, but it is 0/],
    [3000, { max: 1.5 }, /debounceByItem\.max .* 1\.5/],
    [3000, { longestMs: Number.NaN }, /debounceByItem\.longestMs .* NaN/],
    [3000, { merge: 'last' }, /debounceByItem\.merge must be a function, but it is "last"/],
  ];
  for (const [ms, options, message] of bad) {
    it(`throws for ${String(ms)} ms with ${JSON.stringify(options)}`, () => {
      expect(() => debounceByItem(ms as number, options as DebounceByItemOptions<MailEvent>)).to.throw(
        TypeError,
        message,
      );
    });
  }

  it('keeps the type', () => {
    expectTypeOf(of<MailEvent[]>(mail.n).pipe(debounceByItem(3000))).toEqualTypeOf<Observable<MailEvent>>();
  });
});

interface Event {
  readonly type: string;
  readonly item?: { readonly id: string };
  readonly folder?: { readonly id: string };
  readonly subscriptionId?: string;
  readonly number: number;
}

describe('burstBuffer', () => {
  const rules = { quietMs: 10, longestMs: 100, max: 3, merge: coalesceEvents };
  let number = 0;
  const about = (id: string, type = 'modified'): Event => ({ type, item: { id }, number: ++number });
  const fill = (bursts: BurstBuffer<Event>, ...ids: string[]): Event[] =>
    ids.flatMap((id) => bursts.add(about(id), 0));
  const ids = (events: readonly Event[]): string[] =>
    events.map(({ item, folder, type }) => item?.id ?? folder?.id ?? type);

  it('keeps bursts in the order of their last events', () => {
    const bursts = burstBuffer<Event>(rules);
    expect(fill(bursts, 'a', 'b', 'c', 'a')).to.deep.equal([]);
    expect(bursts.size()).to.equal(3);
    expect(ids(bursts.rest())).to.deep.equal(['b', 'c', 'a']);
    expect(bursts.size()).to.equal(0);
  });

  it('removes a burst after the quiet time', () => {
    const bursts = burstBuffer<Event>(rules);
    bursts.add(about('a'), 0);
    bursts.add(about('b'), 4);
    expect(bursts.waitMs(4)).to.equal(6);
    expect(ids(bursts.due(9))).to.deep.equal([]);
    expect(ids(bursts.due(10))).to.deep.equal(['a']);
    expect(bursts.waitMs(10)).to.equal(4);
    expect(bursts.waitMs(20)).to.equal(0);
    expect(ids(bursts.due(20))).to.deep.equal(['b']);
    expect(bursts.waitMs(20)).to.equal(10);
  });

  it('removes the quietest burst beyond max', () => {
    const bursts = burstBuffer<Event>(rules);
    expect(ids(fill(bursts, 'a', 'b', 'a', 'c', 'd', 'e'))).to.deep.equal(['b', 'a']);
    expect(bursts.size()).to.equal(3);
  });

  it('removes all bursts when one lasts too long', () => {
    const bursts = burstBuffer<Event>({ ...rules, longestMs: 20 });
    expect(bursts.add(about('a'), 0)).to.deep.equal([]);
    expect(bursts.add(about('a'), 9)).to.deep.equal([]);
    expect(bursts.add(about('b'), 15)).to.deep.equal([]);
    expect(bursts.add(about('a'), 18)).to.deep.equal([]);
    expect(ids(bursts.add(about('a'), 20))).to.deep.equal(['b', 'a']);
    expect(bursts.size()).to.equal(0);
  });

  it('removes an event that cannot be merged, and those before it', () => {
    const bursts = burstBuffer<Event>(rules);
    bursts.add(about('a'), 0);
    bursts.add(about('b', 'created'), 0);
    bursts.add(about('c'), 0);
    expect(ids(bursts.add(about('b', 'moved'), 0))).to.deep.equal(['a', 'b']);
    expect(ids(bursts.rest())).to.deep.equal(['c', 'b']);
  });

  it('removes all before an event without item and folder', () => {
    const bursts = burstBuffer<Event>(rules);
    fill(bursts, 'a', 'b');
    expect(ids(bursts.add({ type: 'gap', number: 0 }, 0))).to.deep.equal(['a', 'b', 'gap']);
    expect(bursts.size()).to.equal(0);
  });

  it('distinguishes items, folders and subscriptions', () => {
    const bursts = burstBuffer<Event>({ ...rules, max: 9 });
    const id = 'AAMk';
    bursts.add({ type: 'modified', item: { id }, number: 1 }, 0);
    bursts.add({ type: 'modified', folder: { id }, number: 2 }, 0);
    bursts.add({ type: 'modified', item: { id }, subscriptionId: 'one', number: 3 }, 0);
    bursts.add({ type: 'modified', item: { id }, subscriptionId: 'two', number: 4 }, 0);
    expect(bursts.rest().map((event) => event.number)).to.deep.equal([1, 2, 3, 4]);
  });

  it('does not wait after the clock was set back', () => {
    const bursts = burstBuffer<Event>(rules);
    bursts.add(about('a'), 3_600_000);
    expect(bursts.waitMs(0)).to.equal(10);
    expect(ids(bursts.due(10))).to.deep.equal(['a']);
  });

  it('loses nothing and keeps the order for random events', () => {
    const types = ['created', 'newMail', 'modified', 'moved', 'deleted', 'gap', 'status'];
    const step = fc.record({
      type: fc.constantFrom(...types),
      id: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      afterMs: fc.nat(15),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const standsFor = new Map<Event, Event>();
        const last = new Map<Event, number>();
        const merge = (earlier: Event, later: Event): Event | undefined => {
          const both = coalesceEvents(earlier, later);
          if (both === undefined) return undefined;
          standsFor.set(both === earlier ? later : earlier, both);
          last.set(both, later.number);
          return both;
        };
        const bursts = burstBuffer<Event>({ ...rules, merge });
        const sent: Event[] = [];
        const recorded: Event[] = [];
        let now = 0;
        for (const [index, { type, id, afterMs }] of steps.entries()) {
          now += afterMs;
          const isItem = type !== 'gap' && type !== 'status';
          const event = { type, number: index, ...(isItem ? { item: { id } } : {}) };
          sent.push(event);
          recorded.push(...bursts.due(now), ...bursts.add(event, now));
          expect(bursts.size()).to.be.at.most(rules.max);
        }
        recorded.push(...bursts.rest());

        expect(new Set(recorded).size).to.equal(recorded.length);
        for (const event of sent) {
          let standing = event;
          for (let next = standsFor.get(event); next !== undefined; next = standsFor.get(next))
            standing = next;
          expect(recorded).to.include(standing);
          expect(standing.item?.id).to.equal(event.item?.id);
        }
        // Compares the last event that each item represents: no event crosses a gap, and
        // none comes after a newer one.
        const order = recorded.map((event) => last.get(event) ?? event.number);
        expect(order).to.deep.equal(order.toSorted((one, other) => one - other));
      }),
      { numRuns: 1000 },
    );
  });
});
