import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { defer, type Observable, of, throwError } from 'rxjs';
import { HttpError } from '../../lib/core/errors.ts';
import { retryWithBackoff, type RetryWithBackoffOptions } from '../../operators/retryWithBackoff.ts';
import { marbleDiagram } from '../support/marbles/marbleDiagram.ts';
import { inVirtualTime } from '../support/virtualTime.ts';

describe('retryWithBackoff', () => {
  /** Waits of 10, 20, 40 … milliseconds. */
  const steady = { initialMs: 20, random: () => 0.5 };
  const lost = new Error('connection lost');

  /** Subscribes to the first, the second …, and from then on to the last of the sources. */
  function inTurn<Value>(...sources: readonly Observable<Value>[]): Observable<Value> {
    let turn = 0;
    return defer(() => sources[Math.min(turn++, sources.length - 1)]!);
  }

  marbleDiagram(
    'retryWithBackoff',
    'retryWithBackoff()',
    ({ cold, record }) => {
      const attempts = ['-a-#', '--#', '-b-c-|'].map((marbles, index) =>
        record(`source, attempt ${index + 1}`, cold(marbles), String),
      );
      return inTurn(...attempts).pipe(retryWithBackoff(steady));
    },
    String,
  );

  it('mirrors a source that does not error', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-|');
      const sourceSubs = ' ^------!';
      const expected = '   -a-b-c-|';

      expectObservable(source.pipe(retryWithBackoff(steady))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('emits a single value', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('(a|)');
      const sourceSubs = ' (^!)';
      const expected = '   (a|)';

      expectObservable(source.pipe(retryWithBackoff(steady))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('never emits if the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-');
      const sourceSubs = ' ^';
      const expected = '   -';

      expectObservable(source.pipe(retryWithBackoff(steady))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('completes when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('|');
      const sourceSubs = ' (^!)';
      const expected = '   |';

      expectObservable(source.pipe(retryWithBackoff(steady))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('subscribes again after waits that double up to maxMs', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-#', undefined, lost);
      const sourceSubs = ['^!', '11ms ^!', '32ms ^!', '73ms ^!', '114ms ^!'];
      const unsub = '      116ms !';
      const expected = '   -';

      expectObservable(source.pipe(retryWithBackoff({ ...steady, maxMs: 80 })), unsub).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('resets the count after a value', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const failing = cold('  -#', undefined, lost);
      const failingSubs = [
        '                     ^!',
        '                     11ms ^!',
        '                     45ms ^!',
      ];
      const emitting = cold(' --a#', undefined, lost);
      const emittingSubs = '  32ms ^--!';
      const lasting = cold('  b');
      const lastingSubs = '   66ms ^';
      const expected = '      34ms a 31ms b';

      const source = inTurn(failing, failing, emitting, failing, lasting);
      expectObservable(source.pipe(retryWithBackoff({ ...steady, count: 2 }))).toBe(expected);
      expectSubscriptions(failing.subscriptions).toBe(failingSubs);
      expectSubscriptions(emitting.subscriptions).toBe(emittingSubs);
      expectSubscriptions(lasting.subscriptions).toBe(lastingSubs);
    });
  });

  it('errors after count retries', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-#', undefined, lost);
      const sourceSubs = ['^!', '11ms ^!', '32ms ^!'];
      const expected = '   33ms #';

      expectObservable(source.pipe(retryWithBackoff({ ...steady, count: 2 }))).toBe(
        expected,
        undefined,
        lost,
      );
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('errors at once with a count of 0', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('a-#', undefined, lost);
      const sourceSubs = ' ^-!';
      const expected = '   a-#';

      expectObservable(source.pipe(retryWithBackoff({ count: 0 }))).toBe(expected, undefined, lost);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('counts for each subscriber separately', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const result = cold('-#', undefined, lost).pipe(retryWithBackoff({ ...steady, count: 1 }));

      expectObservable(result).toBe('                 12ms #', undefined, lost);
      expectObservable(result, '           5ms ^').toBe('17ms #', undefined, lost);
    });
  });

  it('unsubscribes from the source when its subscriber does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-a-b-c-|');
      const sourceSubs = ' ^---!';
      const unsub = '      ----!';
      const expected = '   -a-b-';

      expectObservable(source.pipe(retryWithBackoff(steady)), unsub).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('does not subscribe again after an unsubscribe during the wait', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('-#', undefined, lost);
      const sourceSubs = ' ^!';
      const unsub = '      5ms !';
      const expected = '   -';

      expectObservable(source.pipe(retryWithBackoff(steady)), unsub).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  describe('when the error has retryAfterMs', () => {
    it('waits that long plus the usual wait', () => {
      const busy = new HttpError(
        503,
        { method: 'GET', url: 'https://pool.contoso.com/' },
        { retryAfterMs: 100 },
      );
      inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
        const failing = cold('-#', undefined, busy);
        const failingSubs = ['^!', '111ms ^!'];
        const working = cold('a|');
        const expected = '    232ms a|';

        expectObservable(inTurn(failing, failing, working).pipe(retryWithBackoff(steady))).toBe(expected);
        expectSubscriptions(failing.subscriptions).toBe(failingSubs);
      });
    });

    for (const asked of [undefined, null, 'soon', Number.NaN, -1]) {
      it(`ignores ${String(asked)}`, () => {
        inVirtualTime(({ cold, expectObservable }) => {
          const failing = cold('-#', undefined, { retryAfterMs: asked });
          const working = cold('a|');
          const expected = '    11ms a|';

          expectObservable(inTurn(failing, working).pipe(retryWithBackoff(steady))).toBe(expected);
        });
      });
    }

    it('waits the longest possible timer if it is longer', () => {
      inVirtualTime(({ cold, expectObservable }) => {
        const failing = cold('#', undefined, { retryAfterMs: 2 ** 40 });
        const working = cold('a|');
        const expected = `    ${2 ** 31 - 1}ms a|`;

        expectObservable(inTurn(failing, working).pipe(retryWithBackoff())).toBe(expected);
      });
    });
  });

  for (const thrown of [undefined, null, 'connection lost', 7]) {
    it(`retries after the error ${String(thrown)}`, () => {
      inVirtualTime(({ cold, expectObservable }) => {
        const failing = throwError(() => thrown);
        const working = cold('a|');
        const expected = '    10ms a|';

        expectObservable(inTurn(failing, working).pipe(retryWithBackoff(steady))).toBe(expected);
      });
    });
  }

  describe('decide', () => {
    it('receives each error and the number of failed attempts', () => {
      const asked: unknown[] = [];
      const other = new Error('another one');
      const decide = (error: unknown, attempt: number): boolean => {
        asked.push([error, attempt]);
        return true;
      };
      inVirtualTime(({ cold, expectObservable }) => {
        const failing = cold('#', undefined, lost);
        const emitting = cold('a#', undefined, other);
        const working = cold('b|');
        const expected = '     30ms a 10ms b|';

        const source = inTurn(failing, failing, emitting, working);
        expectObservable(source.pipe(retryWithBackoff({ ...steady, decide }))).toBe(expected);
      });
      expect(asked).to.deep.equal([
        [lost, 1],
        [lost, 2],
        [other, 1],
      ]);
    });

    it('errors at once on false', () => {
      inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('a-#', undefined, lost);
        const sourceSubs = ' ^-!';
        const expected = '   a-#';

        expectObservable(source.pipe(retryWithBackoff({ decide: () => false }))).toBe(
          expected,
          undefined,
          lost,
        );
        expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      });
    });

    it('overrides retryAfterMs with a number', () => {
      inVirtualTime(({ cold, expectObservable }) => {
        const failing = cold('-#', undefined, { retryAfterMs: 100 });
        const working = cold('a|');
        const expected = '    4ms a|';

        expectObservable(inTurn(failing, working).pipe(retryWithBackoff({ decide: () => 3 }))).toBe(expected);
      });
    });

    it('is not called after the last attempt', () => {
      let times = 0;
      const decide = (): boolean => ++times > 0;
      inVirtualTime(({ cold, expectObservable }) => {
        const source = cold('#', undefined, lost);
        const expected = '   10ms #';

        expectObservable(source.pipe(retryWithBackoff({ ...steady, count: 1, decide }))).toBe(
          expected,
          undefined,
          lost,
        );
      });
      expect(times).to.equal(1);
    });

    it('errors the result if it throws', () => {
      const bug = new Error('a bug in decide');
      const decide = (): never => {
        throw bug;
      };
      inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
        const source = cold('-#', undefined, lost);
        const sourceSubs = ' ^!';
        const expected = '   -#';

        expectObservable(source.pipe(retryWithBackoff({ decide }))).toBe(expected, undefined, bug);
        expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      });
    });

    for (const wait of [-1, Number.NaN, Infinity, undefined as unknown as number]) {
      it(`must not return ${String(wait)}`, () => {
        let thrown: unknown;
        inVirtualTime(({ cold, flush }) => {
          cold('-#', undefined, lost)
            .pipe(retryWithBackoff({ decide: () => wait }))
            .subscribe({ error: (error: unknown) => (thrown = error) });
          flush();
        });
        expect(thrown).to.be.instanceOf(TypeError);
        expect(String(thrown)).to.include(
          'what retryWithBackoff.decide returns must be a number of at least 0',
        );
      });
    }
  });

  it('errors if random throws', () => {
    const bug = new Error('no entropy');
    const random = (): never => {
      throw bug;
    };
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold('-#', undefined, lost);
      const expected = '   -#';

      expectObservable(source.pipe(retryWithBackoff({ random }))).toBe(expected, undefined, bug);
    });
  });

  const bad: readonly [options: object, message: RegExp][] = [
    [{ count: -1 }, /retryWithBackoff\.count must be a whole number of at least 0, but it is -1/],
    [{ count: 1.5 }, /retryWithBackoff\.count .* 1\.5/],
    [{ count: '3' }, /retryWithBackoff\.count .* "3"/],
    [{ initialMs: -1 }, /retryWithBackoff\.initialMs .* -1/],
    [{ maxMs: Number.NaN }, /retryWithBackoff\.maxMs .* NaN/],
    [{ decide: true }, /retryWithBackoff\.decide must be a function, but it is true/],
  ];
  for (const [options, message] of bad) {
    it(`throws for ${Object.entries(options).join(' ')}`, () => {
      expect(() => retryWithBackoff(options as RetryWithBackoffOptions)).to.throw(TypeError, message);
    });
  }

  it('keeps the type of the values', () => {
    expectTypeOf(of(1, 2).pipe(retryWithBackoff())).toEqualTypeOf<Observable<number>>();
  });
});
