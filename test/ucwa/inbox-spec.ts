import { expect } from 'chai';
import { take } from 'rxjs';
import { inbox } from '../../lib/ucwa/inbox.ts';

describe('inbox', () => {
  it('should keep what comes until it is taken, then pass on what comes', () => {
    const box = inbox<number>();
    const got: number[] = [];
    box.next(1);
    box.next(2);
    box.values$.subscribe((value) => got.push(value));
    box.next(3);
    expect(got).to.deep.equal([1, 2, 3]);
  });

  it('should keep the order where something comes while something is given', () => {
    const box = inbox<number>();
    const got: number[] = [];
    box.next(1);
    box.next(2);
    box.values$.subscribe((value) => {
      if (value === 1) box.next(3);
      got.push(value);
    });
    expect(got).to.deep.equal([1, 2, 3]);
  });

  it('should keep an error in its place', () => {
    const box = inbox<number>();
    const got: unknown[] = [];
    box.next(1);
    box.error('broken');
    box.next(2);
    box.values$.subscribe({ next: (value) => got.push(value), error: (error: unknown) => got.push(error) });
    expect(got).to.deep.equal([1, 'broken']);
  });

  it('should stop giving, and keep nothing, when its taker has left', () => {
    const box = inbox<number>();
    const got: number[] = [];
    box.next(1);
    box.next(2);
    box.values$.pipe(take(1)).subscribe((value) => got.push(value));
    box.next(3);
    box.values$.subscribe((value) => got.push(value));
    expect(got).to.deep.equal([1]);
  });
});
