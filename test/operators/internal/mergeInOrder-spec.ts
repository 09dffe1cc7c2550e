import { expect } from 'chai';
import { map, Subject, timer } from 'rxjs';
import { mergeInOrder } from '../../../operators/internal/mergeInOrder.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

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
