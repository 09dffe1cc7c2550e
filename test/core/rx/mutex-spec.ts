import { expect } from 'chai';
import { type Subscription, take } from 'rxjs';
import { mutex } from '../../../lib/core/rx/mutex.ts';

describe('turns', () => {
  const three = (): { readonly entered: string[]; readonly all: Record<'a' | 'b' | 'c', Subscription> } => {
    const turn$ = mutex();
    const entered: string[] = [];
    const enter = (name: string): Subscription => turn$.subscribe(() => entered.push(name));
    return { entered, all: { a: enter('a'), b: enter('b'), c: enter('c') } };
  };

  it('runs one at a time in the order of subscription', () => {
    const { entered, all } = three();
    expect(entered).to.deep.equal(['a']);
    all.a.unsubscribe();
    expect(entered).to.deep.equal(['a', 'b']);
    all.b.unsubscribe();
    expect(entered).to.deep.equal(['a', 'b', 'c']);
  });

  it('skips a queued subscriber that has unsubscribed', () => {
    const { entered, all } = three();
    all.b.unsubscribe();
    expect(entered).to.deep.equal(['a']);
    all.a.unsubscribe();
    expect(entered).to.deep.equal(['a', 'c']);
  });

  it('is free after all unsubscribe', () => {
    const turn$ = mutex();
    let entered = 0;
    turn$.pipe(take(1)).subscribe(() => (entered += 1));
    turn$.pipe(take(1)).subscribe(() => (entered += 1));
    expect(entered).to.equal(2);
  });
});
