import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { concat, count, interval, map, NEVER, of, type Observable, Subject, take } from 'rxjs';
import { debounceByItem, type DebounceByItemOptions } from '../../operators/debounceByItem.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { mail, type MailEvent, malformed, subscriptionId } from './mailboxEvents.ts';

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
