import { expect } from 'chai';
import { type Observable, of, take } from 'rxjs';
import { switchWhen } from '../../../lib/core/rx/switchWhen.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

/** Sends `b` another way. */
const bTo = (other: Observable<string>) => switchWhen((value: string) => (value === 'b' ? other : undefined));

describe('switchWhen', () => {
  it('mirrors values that are not switched', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const other = cold('           x|');
      const source = cold('          a-c-|');
      const sourceSubs = '           ^---!';
      const expected = '             a-c-|';

      expectObservable(source.pipe(bTo(other))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
      expectSubscriptions(other.subscriptions).toBe([]);
    });
  });

  it('emits the replacement of a value, and completes with both', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const other = cold('             --x---y|');
      const source = cold('          a-b--c|');
      const otherSubs = '            --^------!';
      const expected = '             a---xc--y|';

      expectObservable(source.pipe(bTo(other))).toBe(expected);
      expectSubscriptions(other.subscriptions).toBe(otherSubs);
    });
  });

  it('completes with the source if the replacement has completed before', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const other = cold('            |');
      const source = cold('          -b--|');
      const expected = '             ----|';

      expectObservable(source.pipe(bTo(other))).toBe(expected);
    });
  });

  it('mirrors a source that never emits or is empty', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      expectObservable(cold('-').pipe(bTo(of('x')))).toBe('-');
      expectObservable(cold('|').pipe(bTo(of('x')))).toBe('|');
    });
  });

  it('errors with either, and unsubscribes from the other', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const waiting = cold('          --');
      const failing = cold('         -b-#');
      expectObservable(failing.pipe(bTo(waiting))).toBe('---#');
      expectSubscriptions(waiting.subscriptions).toBe('-^-!');

      const other = cold('            -#');
      const source = cold('          -b---a|');
      expectObservable(source.pipe(bTo(other))).toBe('--#');
      expectSubscriptions(source.subscriptions).toBe('^-!');
    });
  });

  it('leaves both when the subscriber leaves', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const other = cold('            --x--');
      const source = cold('          -b---a|');
      const unsub = '                ----!';

      expectObservable(source.pipe(bTo(other)), unsub).toBe('---x-');
      expectSubscriptions(source.subscriptions).toBe('^---!');
      expectSubscriptions(other.subscriptions).toBe('-^--!');
    });
  });

  it('errors if the function for values throws', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('          -a-b|');
      const refusing = switchWhen<string>(() => {
        throw new Error('no way');
      });
      expectObservable(source.pipe(refusing)).toBe('-#', undefined, new Error('no way'));
      expectSubscriptions(source.subscriptions).toBe('^!');
    });
  });

  it('mirrors the other after an error and does not test its values', () => {
    const asked: unknown[] = [];
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const other = cold('             --b#', undefined, 'second');
      const source = cold('          a-#', undefined, 'first');
      const sourceSubs = '           ^-!';
      const expected = '             a---b#';
      const diverted = source.pipe(
        switchWhen(
          (value) => {
            asked.push(value);
            return undefined;
          },
          (error) => {
            asked.push(error);
            return other;
          },
        ),
      );

      expectObservable(diverted).toBe(expected, undefined, 'second');
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
    expect(asked).to.deep.equal(['a', 'first']);
  });

  it('completes with the replacement of the error', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const other = cold('             --x|');
      const source = cold('          a-#');
      const diverted = source.pipe(
        switchWhen(
          () => undefined,
          () => other,
        ),
      );
      expectObservable(diverted).toBe('a---x|');
    });
  });

  it('errors if the function for values throws about an error', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const refusing = switchWhen(
        () => undefined,
        () => {
          throw new Error('no way');
        },
      );
      expectObservable(cold('-#').pipe(refusing)).toBe('-#', undefined, new Error('no way'));
    });
  });

  it('emits synchronously if the source does', () => {
    const seen: string[] = [];
    of('a', 'b', 'c')
      .pipe(bTo(of('x', 'y')), take(3))
      .subscribe({ next: (value) => seen.push(value), complete: () => seen.push('complete') });
    expect(seen).to.deep.equal(['a', 'x', 'y', 'complete']);
  });
});
