import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import {
  concat,
  delay,
  EmptyError,
  EMPTY,
  map,
  NEVER,
  of,
  type Observable,
  Subject,
  take,
  throwError,
  TimeoutError,
  timer,
} from 'rxjs';
import { deleted } from '../../operators/ofType.ts';
import {
  withResource,
  type WithResource,
  type WithResourceOptions,
  mergeInOrder,
} from '../../operators/withResource.ts';
import { marbleDiagram } from '../support/marbles/marbleDiagram.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { malformed, type UcwaEvent, ucwa } from './events.ts';

describe('withResource', () => {
  interface Presence {
    readonly availability: string;
  }
  interface Told {
    readonly type: string;
    readonly resource?: unknown;
    readonly error?: unknown;
  }
  const link = (number: number): UcwaEvent['link'] => ({
    rel: 'contactPresence',
    href: `/people/${number}/presence`,
  });
  const { sender } = ucwa.u;
  /** Updates with a link only; x to z are their results. */
  const updates: Readonly<Record<string, UcwaEvent>> = {
    ...ucwa,
    1: { type: 'updated', link: link(1), sender },
    2: { type: 'updated', link: link(2), sender },
    3: { type: 'updated', link: link(3), sender },
  };
  const lost = new Error('connection lost');
  const busy: Presence = { availability: 'Busy' };
  const recorded: Readonly<Record<string, Told>> = {
    ...ucwa,
    1: { ...updates['1']!, resource: busy },
    2: { ...updates['2']!, resource: busy },
    3: { ...updates['3']!, resource: busy },
    e: { ...updates['2']!, error: lost },
  };
  const after = (ms: number): (() => Observable<Presence>) => {
    return () => of(busy).pipe(delay(ms));
  };

  const typeAndName = (event: WithResource<UcwaEvent, unknown>): string => {
    const { type, link, resource } = event;
    const [, , name] = link.href.split('/');
    return resource === undefined ? `${type} ${name}` : `${type} ${name} {…}`;
  };
  marbleDiagram(
    'withResource',
    'withResource(get)',
    ({ cold, record }) => {
      const events = {
        ...updates,
        3: { ...updates['3']!, resource: busy },
        d: { ...updates['1']!, type: 'deleted' },
      };
      const get = (href: string): Observable<Presence> =>
        record(`get('${href}')`, cold('----(r|)', { r: busy }), () => '{…}');
      return record('source', cold('-1-3--2------d-|', events), typeAndName).pipe(withResource(get));
    },
    typeAndName,
  );

  it('adds the resource of the link', () => {
    const hrefs: string[] = [];
    const get = (href: string): Observable<Presence> => {
      hrefs.push(href);
      return of(busy).pipe(delay(2));
    };
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-1----2----|', updates);
      const sourceSubs = '            ^----------!';
      const expected = '              ---1----2--|';

      expectObservable(source.pipe(withResource(get))).toBe(expected, recorded);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
    expect(hrefs).to.deep.equal(['/people/1/presence', '/people/2/presence']);
  });

  it('does not fetch an embedded resource', () => {
    let gets = 0;
    const get = (): Observable<Presence> => {
      gets++;
      return of(busy);
    };
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('-a-|', ucwa);
      const expected = '              -a-|';

      expectObservable(source.pipe(withResource(get))).toBe(expected, ucwa);
    });
    expect(gets).to.equal(0);
  });

  it('emits a single value', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('--1--|', updates);
      const sourceSubs = '            ^----!';
      const expected = '              --1--|';

      expectObservable(source.pipe(withResource(() => of(busy)))).toBe(expected, recorded);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('keeps the order whichever response is first', () => {
    const ms: Readonly<Record<string, number>> = { '/people/1/presence': 6, '/people/2/presence': 1 };
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('-12a--d------3|', updates);
      const expected = '              -------(12ad)3|';
      const get = (href: string): Observable<Presence> => of(busy).pipe(delay(ms[href] ?? 0));

      expectObservable(source.pipe(withResource(get))).toBe(expected, recorded);
    });
  });

  it('adds the error of a failed fetch and continues', () => {
    const get = (href: string): Observable<Presence> =>
      href === link(2).href ? throwError(() => lost) : of(busy);
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('-1-2-3-|', updates);
      const expected = '              -1-e-3-|';

      expectObservable(source.pipe(withResource(get))).toBe(expected, recorded);
    });
  });

  it('adds the error of a function that throws', () => {
    const get = (href: string): Observable<Presence> => {
      if (href === link(2).href) throw lost;
      return of(busy);
    };
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('-1-2-3-|', updates);
      const expected = '              -1-e-3-|';

      expectObservable(source.pipe(withResource(get))).toBe(expected, recorded);
    });
  });

  it('adds a TimeoutError if no response arrives', () => {
    let error: unknown;
    inVirtualTime(({ cold, expectObservable, expectSubscriptions, flush }) => {
      const never = cold<Presence>('   -');
      const source = cold<UcwaEvent>('-1-2--------|', updates);
      const result = source.pipe(
        withResource((href) => (href === link(1).href ? never : of(busy)), { timeoutMs: 5 }),
      );
      const expected = '              ------(12)--|';

      expectObservable(
        result.pipe(
          map((event) => {
            error ??= event.error;
            return event.link;
          }),
        ),
      ).toBe(expected, { 1: link(1), 2: link(2) });
      expectSubscriptions(never.subscriptions).toBe('-^----!');
      flush();
    });
    expect(error).to.be.instanceOf(TimeoutError);
  });

  it('waits thirty seconds for a response by default', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('1|', updates);

      expectObservable(
        source.pipe(
          withResource(() => NEVER),
          map(({ type }) => type),
        ),
      ).toBe('30s (u|)', {
        u: 'updated',
      });
    });
  });

  it('uses the first value, and adds an error if there is none', () => {
    const events: Told[] = [];
    of(updates['1']!, updates['2']!)
      .pipe(withResource((href) => (href === link(1).href ? concat(of(busy), NEVER) : EMPTY)))
      .subscribe((event) => events.push(event));

    expect(events[0]).to.deep.equal(recorded['1']);
    expect(events[1]).to.not.have.property('resource');
    expect(events[1]?.error).to.be.instanceOf(EmptyError);
  });

  it('accepts a promise', async () => {
    const event = await new Promise<Told>((done) => {
      of(updates['1']!)
        .pipe(withResource(() => Promise.resolve(busy)))
        .subscribe(done);
    });
    expect(event).to.deep.equal(recorded['1']);
  });

  it('does not fetch for deleted, completed or unknown events', () => {
    const hrefs: string[] = [];
    const events: Readonly<Record<string, UcwaEvent>> = {
      ...updates,
      r: { type: 'gap', link: { rel: 'resync', href: '/events?ack=1' }, sender },
    };
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('-d-x-c-r-s-u-|', events);
      const expected = '              -d-x-c-r-S-U-|';
      const get = (href: string): Observable<Presence> => {
        hrefs.push(href);
        return of(busy);
      };

      expectObservable(source.pipe(withResource(get))).toBe(expected, {
        ...events,
        S: { ...ucwa.s, resource: busy },
        U: { ...ucwa.u, resource: busy },
      });
    });
    expect(hrefs).to.deep.equal([ucwa.s.link.href, ucwa.u.link.href]);
  });

  it('fetches for the events that fetches selects', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('-1-c-|', updates);
      const expected = '              -1-C-|';

      expectObservable(
        source.pipe(withResource(() => of(busy), { fetches: ({ type }) => type === 'completed' })),
      ).toBe(expected, { 1: updates['1'], C: { ...ucwa.c, resource: busy } });
    });
  });

  it('limits the concurrent fetches, to four by default', () => {
    const most = (options?: WithResourceOptions<UcwaEvent>): number => {
      let now = 0;
      let highest = 0;
      inVirtualTime(({ cold, flush }) => {
        cold<UcwaEvent>('(11111111|)', updates)
          .pipe(
            withResource(() => {
              highest = Math.max(highest, ++now);
              return of(busy).pipe(
                delay(3),
                map((resource) => {
                  now--;
                  return resource;
                }),
              );
            }, options),
          )
          .subscribe();
        flush();
      });
      return highest;
    };
    expect(most()).to.equal(4);
    expect(most({ concurrency: 1 })).to.equal(1);
    expect(most({ concurrency: 6 })).to.equal(6);
  });

  it('never emits if the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(withResource(after(1)))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('completes when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(withResource(after(1)))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('completes after the last event', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-1|', updates);
      const sourceSubs = '            ^-!';
      const expected = '              -----(1|)';

      expectObservable(source.pipe(withResource(after(4)))).toBe(expected, recorded);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('errors after the last event', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-1#', updates, lost);
      const sourceSubs = '            ^-!';
      const expected = '              -----(1#)';

      expectObservable(source.pipe(withResource(after(4)))).toBe(expected, recorded, lost);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('aborts fetches and unsubscribes from the source on unsubscribe', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const answer = cold<Presence>(' ----p|');
      const source = cold<UcwaEvent>('-12----|', updates);
      const sourceSubs = '            ^---!';
      const unsub = '                 ----!';
      const expected = '              -----';

      expectObservable(source.pipe(withResource(() => answer)), unsub).toBe(expected);
      expectSubscriptions(answer.subscriptions).toBe(['-^--!', '--^-!']);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('unsubscribes from a synchronous source at once', () => {
    const source$ = new Subject<UcwaEvent>();
    source$
      .pipe(
        withResource(() => of(busy)),
        take(1),
      )
      .subscribe();
    source$.next(updates['1']!);
    expect(source$.observed).to.be.false;
  });

  it('passes malformed events', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const values = { ...malformed, ...ucwa };
      const source = cold<UcwaEvent>('0123456789d|', values);
      const expected = '              0123456789d|';

      expectObservable(source.pipe(withResource(() => of(busy)))).toBe(expected, values);
    });
  });

  it('errors after the earlier events if fetches throws', () => {
    const bug = new Error('a bug in fetches');
    const fetches = ({ link: { href } }: UcwaEvent): boolean => {
      if (href === link(2).href) throw bug;
      return true;
    };
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-1-2-3---|', updates);
      const sourceSubs = '            ^----!';
      const expected = '              -----(1#)';

      expectObservable(source.pipe(withResource(after(4), { fetches }))).toBe(expected, recorded, bug);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  const notFunctions: readonly [get: unknown, message: string][] = [
    [
      undefined,
      'withResource(get) must be a function, such as (href) => ucwa.get({ href }), but it is undefined',
    ],
    [null, 'but it is null'],
    ['/people', 'but it is "/people"'],
  ];
  for (const [get, message] of notFunctions) {
    it(`throws for ${String(get)} instead of a function`, () => {
      expect(() => withResource(get as () => never)).to.throw(TypeError, message);
    });
  }

  const bad: readonly [options: object, message: RegExp][] = [
    [{ concurrency: 0 }, /withResource\.concurrency must be a whole number of at least 1, but it is 0/],
    [{ concurrency: 1.5 }, /withResource\.concurrency .* 1\.5/],
    [{ timeoutMs: -1 }, /withResource\.timeoutMs must be a number from 0 to 2147483647, but it is -1/],
    [{ timeoutMs: '1' }, /withResource\.timeoutMs .* "1"/],
    [{ fetches: true }, /withResource\.fetches must be a function, but it is true/],
  ];
  for (const [options, message] of bad) {
    it(`throws for ${JSON.stringify(options)}`, () => {
      expect(() => withResource(() => of(1), options)).to.throw(TypeError, message);
    });
  }

  it('has the type of the resource or of its absence', () => {
    const fetched$ = of<UcwaEvent[]>(ucwa.u).pipe(withResource(() => of(busy)));
    const resource$ = fetched$.pipe(map(({ resource }) => resource));
    expectTypeOf(resource$).toEqualTypeOf<Observable<Presence | { readonly name: string } | undefined>>();
    fetched$.pipe(
      map((event) => {
        if (event.resource === undefined) expectTypeOf(event.error).toEqualTypeOf<unknown>();
        else expectTypeOf(event.error).toEqualTypeOf<undefined>();
      }),
    );

    expectTypeOf(fetched$.pipe(map(({ link: { href } }) => href))).toEqualTypeOf<Observable<string>>();
    expectTypeOf(
      fetched$.pipe(
        deleted(),
        map(({ type }) => type),
      ),
    ).toEqualTypeOf<Observable<'deleted'>>();
  });
});

describe('mergeInOrder', () => {
  const letters = { a: { letter: 'a' }, b: { letter: 'b' }, c: { letter: 'c' }, d: { letter: 'd' } };

  it('emits in the order of the source', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const slow = cold('  -----a|', letters);
      const fast = cold('  -b|', letters);
      const faster = cold('(c|)', letters);
      const source = cold('012-------|').pipe(map((digit) => Number(digit)));
      const expected = '   -----(abc)|';

      expectObservable(source.pipe(mergeInOrder((index) => [slow, fast, faster][index] ?? fast, 3))).toBe(
        expected,
        letters,
      );
      expectSubscriptions(fast.subscriptions).toBe('-^-!');
    });
  });

  it('limits the concurrency', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const inner = cold(' ---a|', letters);
      const source = cold('(000|)');
      const innerSubs = ['^---!', '^---!', '----^---!'];
      const expected = '   ---(aa)a|';

      expectObservable(source.pipe(mergeInOrder(() => inner, 2))).toBe(expected, letters);
      expectSubscriptions(inner.subscriptions).toBe(innerSubs);
    });
  });

  it('unsubscribes from its inner Observables on unsubscribe', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const inner = cold(' -----a|', letters);
      const source = cold('00----|');
      const unsub = '      ---!';
      const expected = '   ----';

      expectObservable(source.pipe(mergeInOrder(() => inner, 4)), unsub).toBe(expected);
      expectSubscriptions(inner.subscriptions).toBe(['^--!', '-^-!']);
      expectSubscriptions(source.subscriptions).toBe('^--!');
    });
  });

  it('keeps the order if a subscriber makes the source emit', () => {
    const source$ = new Subject<number>();
    const recorded: number[] = [];
    inVirtualTime(({ flush }) => {
      source$.pipe(mergeInOrder((ms) => timer(ms).pipe(map(() => ({ ms }))), 4)).subscribe(({ ms }) => {
        recorded.push(ms);
        if (ms === 3) source$.next(0);
      });
      for (const ms of [3, 2, 1]) source$.next(ms);
      flush();
    });
    expect(recorded).to.deep.equal([3, 2, 1, 0]);
  });
});
