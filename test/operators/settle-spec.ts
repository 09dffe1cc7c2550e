import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { concat, count, interval, map, NEVER, of, type Observable, Subject, take } from 'rxjs';
import { settle, type SettleOptions } from '../../operators/settle.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { mail, type MailEvent, malformed, subscriptionId } from './mailboxEvents.ts';

describe('settle', () => {
  const of2 = { subscriptionId, item: { id: 'AAMkCoffee' } };
  /** Beside those about one message, what happens to a second. */
  const events: Readonly<Record<string, MailEvent>> = {
    ...mail,
    N: { type: 'newMail', ...of2 },
    K: { type: 'created', ...of2 },
    M: { type: 'modified', ...of2 },
    D: { type: 'deleted', ...of2 },
  };

  it('should make one event of a burst, once it is over', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-nkm--m---------k-------|', events);
      const sourceSubs = '            ^-----------------------!';
      const expected = '              ----------n---------k---|';

      expectObservable(source.pipe(settle(4))).toBe(expected, events);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit a single one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('--n-------|', events);
      const sourceSubs = '            ^---------!';
      const expected = '              ------n---|';

      expectObservable(source.pipe(settle(4))).toBe(expected, events);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(settle(4))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(settle(4))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit what waits when the source completes', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-K|', events);
      const sourceSubs = '            ^---!';
      const expected = '              ----(nK|)';

      expectObservable(source.pipe(settle(4))).toBe(expected, events);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit what waits before it passes the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n-K#', events, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              ----(nK#)';

      expectObservable(source.pipe(settle(4))).toBe(expected, events, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should drop what waits, and leave no timer, when its subscriber leaves', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-n---K----', events);
      const sourceSubs = '            ^------!';
      const unsub = '                 -------!';
      const expected = '              -----n--';

      expectObservable(source.pipe(settle(4)), unsub).toBe(expected, events);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should leave an endless source at once when it has enough', () => {
    let asked = 0;
    const endless = function* (): Generator<MailEvent> {
      for (;;) {
        asked++;
        yield mail.s;
      }
    };
    inVirtualTime(({ expectObservable }) => {
      expectObservable(concat(endless(), NEVER).pipe(settle(4), take(2))).toBe('(ss|)', events);
    });
    expect(asked).to.equal(2);
  });

  it('should settle each item for itself, in the order of their last events', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-nKkNM------n----|', events);
      const expected = '              -------n-N------n|';

      expectObservable(source.pipe(settle(4))).toBe(expected, events);
    });
  });

  it('should treat folders as it does items', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const more: typeof events = { ...events, F: { ...mail.f, unreadCount: 2 } as MailEvent };
      const source = cold<MailEvent>('-nfkF-------|', more);
      const expected = '              -------nF---|';

      expectObservable(source.pipe(settle(4))).toBe(expected, more);
    });
  });

  it('should not merge or move anything across a gap or a status', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-nK-g-m--s-k-----|', events);
      const expected = '              ----(nKg)(ms)--k-|';

      expectObservable(source.pipe(settle(4))).toBe(expected, events);
    });
  });

  it('should emit a gap and a status at once where nothing waits', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-g-s-b-|', events);
      const expected = '              -g-s-b-|';

      expectObservable(source.pipe(settle(4))).toBe(expected, events);
    });
  });

  it('should keep both where neither stands for the other', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const more: typeof events = {
        ...events,
        1: { type: 'moved', ...of2, oldParentFolder: { id: 'AAMkOne' } },
        2: { type: 'moved', ...of2, oldParentFolder: { id: 'AAMkTwo' } },
      };
      const source = cold<MailEvent>('-n1-2M------|', more);
      const expected = '              ----(n1)-2--|';

      expectObservable(source.pipe(settle(4))).toBe(expected, more);
    });
  });

  it('should tell of an item that never comes to rest, too', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('m-m-m-m-m-m-m-m-|', events);
      const expected = '              ------m-------m-|';

      expectObservable(source.pipe(settle(4, { longestMs: 6 }))).toBe(expected, events);
    });
  });

  it('should tell of it every tenth time by default, and never tire of that', () => {
    inVirtualTime(({ expectObservable }) => {
      const source = interval(2).pipe(
        take(10_000),
        map(() => mail.m),
      );
      // A burst of 40 ms has 21 events.
      const recorded = Math.ceil(10_000 / 21);

      expectObservable(source.pipe(settle(4), count())).toBe('20s (t|)', { t: recorded });
    });
  });

  it('should wait for a bounded number of items', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-nKf-----|', events);
      const expected = '              ---n--Kf-|';

      expectObservable(source.pipe(settle(4, { max: 2 }))).toBe(expected, events);
    });
  });

  it('should hold a thousand items by default, and no more', () => {
    const first = (much: number): MailEvent[] => {
      const recorded: MailEvent[] = [];
      const source$ = new Subject<MailEvent>();
      inVirtualTime(({ flush }) => {
        const subscription = source$.pipe(settle(4)).subscribe((event) => recorded.push(event));
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

  it('should be content with no time at all: what comes in one turn is a burst', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-(nkK)--m-|', events);
      const expected = '              -(nK)---m-|';

      expectObservable(source.pipe(settle(0))).toBe(expected, events);
    });
  });

  it('should keep the order where a subscriber makes the source emit', () => {
    const source$ = new Subject<MailEvent>();
    const recorded: string[] = [];
    inVirtualTime(({ flush }) => {
      source$.pipe(settle(4)).subscribe((event) => {
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

  it('should settle what a subscriber makes the source emit when nothing else waits', () => {
    const source$ = new Subject<MailEvent>();
    const recorded: string[] = [];
    inVirtualTime(({ flush }) => {
      source$.pipe(settle(4)).subscribe((event) => {
        recorded.push(event.type);
        if (event.type === 'newMail') source$.next(mail.d);
      });
      source$.next(mail.n);
      flush();
    });
    expect(recorded).to.deep.equal(['newMail', 'deleted']);
  });

  it('should keep apart what its subscribers wait for', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const settled = cold<MailEvent>('-n-m---|', events).pipe(settle(2));

      expectObservable(settled).toBe('     -----n-|', events);
      expectObservable(settled, '-^').toBe('------n-|', events);
    });
  });

  it('should let pass what is malformed', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const values = { ...malformed, ...mail };
      const source = cold<MailEvent>('012345678n-|', values);
      const expected = '              012345678--(n|)';

      expectObservable(source.pipe(settle(4))).toBe(expected, values);
    });
  });

  it('should take a merge of its own', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<MailEvent>('-nkm------|', events);
      const last = '                  -------m--|';
      const none = '                  --nk---m--|';

      expectObservable(source.pipe(settle(4, { merge: (_, later) => later }))).toBe(last, events);
      expectObservable(source.pipe(settle(4, { merge: () => undefined }))).toBe(none, events);
    });
  });

  it('should make what merge throws the error of the result, behind what waits', () => {
    const bug = new Error('a bug in merge');
    const merge = (): MailEvent => {
      throw bug;
    };
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<MailEvent>('-nK-k-----|', events);
      const sourceSubs = '            ^---!';
      const expected = '              ----(nK#)';

      expectObservable(source.pipe(settle(4, { merge }))).toBe(expected, events, bug);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should not merge by default what a subscription saw that another did not', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const more: typeof events = { ...events, o: { ...mail.n, subscriptionId: 'other' } };
      const source = cold<MailEvent>('-no-----|', more);
      const expected = '              -----no-|';

      expectObservable(source.pipe(settle(4))).toBe(expected, more);
    });
  });

  const bad: readonly [ms: unknown, options: object, message: RegExp][] = [
    [-1, {}, /settle\(ms\) must be a number from 0 to 2147483647, but it is -1/],
    [Infinity, {}, /settle\(ms\) .* Infinity/],
    ['3000', {}, /settle\(ms\) .* "3000"/],
    [3000, { max: 0 }, /settle\.max must be a whole number of at least 1, but it is 0/],
    [3000, { max: 1.5 }, /settle\.max .* 1\.5/],
    [3000, { longestMs: Number.NaN }, /settle\.longestMs .* NaN/],
    [3000, { merge: 'last' }, /settle\.merge must be a function, but it is "last"/],
  ];
  for (const [ms, options, message] of bad) {
    it(`should refuse ${String(ms)} ms with ${JSON.stringify(options)}`, () => {
      expect(() => settle(ms as number, options as SettleOptions<MailEvent>)).to.throw(TypeError, message);
    });
  }

  it('should keep the type', () => {
    expectTypeOf(of<MailEvent[]>(mail.n).pipe(settle(3000))).toEqualTypeOf<Observable<MailEvent>>();
  });
});
