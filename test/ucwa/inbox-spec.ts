import { expect } from 'chai';
import { of, Subject, take, throwError } from 'rxjs';
import { inbox } from '../../lib/ucwa/inbox.ts';

describe('inbox', () => {
  it('should keep what comes until it is taken, then pass on what comes', () => {
    const box = inbox<number>();
    const got: number[] = [];
    box.next(1);
    box.next(2);
    box.each((value) => of(value)).subscribe((value) => got.push(value));
    box.next(3);
    expect(got).to.deep.equal([1, 2, 3]);
  });

  it('should keep the order where something comes while something is given', () => {
    const box = inbox<number>();
    const got: number[] = [];
    box.next(1);
    box.next(2);
    box
      .each((value) => of(value))
      .subscribe((value) => {
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
    box
      .each((value) => of(value))
      .subscribe({ next: (value) => got.push(value), error: (error: unknown) => got.push(error) });
    expect(got).to.deep.equal([1, 'broken']);
  });

  it('should keep what its taker did not take for the next one', () => {
    const box = inbox<number>();
    const got: number[] = [];
    const takeOf = (many: number): void => {
      box
        .each((value) => of(value))
        .pipe(take(many))
        .subscribe((value) => got.push(value));
    };
    box.next(1);
    box.next(2);
    takeOf(1);
    expect(got).to.deep.equal([1]);
    box.next(3);
    takeOf(2);
    expect(got).to.deep.equal([1, 2, 3]);
  });

  it('should not begin with a value before the one before it is done, and keep it for the next taker', () => {
    const box = inbox<number>();
    const got: string[] = [];
    const done = new Subject<string>();
    box.next(1);
    box.next(2);
    const taking = box
      .each((value) => (value === 1 ? done : of(`${value}`)))
      .subscribe((text) => got.push(text));
    box.next(3);
    done.next('one');
    expect(got).to.deep.equal(['one']);
    taking.unsubscribe();
    box.each((value) => of(`${value}`)).subscribe((text) => got.push(text));
    expect(got).to.deep.equal(['one', '2', '3']);
    box.next(4);
    expect(got.at(-1)).to.equal('4');
  });

  it('should go on where what it waits for completes', () => {
    const box = inbox<number>();
    const got: number[] = [];
    const done = new Subject<number>();
    box.each((value) => (value === 1 ? done : of(value))).subscribe((value) => got.push(value));
    box.next(1);
    box.next(2);
    expect(got).to.deep.equal([]);
    done.complete();
    expect(got).to.deep.equal([2]);
  });

  it('should pass on an error of what it waits for', () => {
    const box = inbox<number>();
    let told: unknown;
    box.each(() => throwError(() => 'broken')).subscribe({ error: (error: unknown) => (told = error) });
    box.next(1);
    expect(told).to.equal('broken');
    expect(box.failure).to.equal(undefined);
  });

  it('should say which error came, and keep nothing after it', () => {
    const box = inbox<number>();
    box.error('first');
    box.error('second');
    expect(box.failure).to.deep.equal({ error: 'first' });
  });

  it('should keep nothing once it is closed', () => {
    const box = inbox<number>();
    const got: number[] = [];
    box.next(1);
    box.close();
    box.next(2);
    box.each((value) => of(value)).subscribe((value) => got.push(value));
    expect(got).to.deep.equal([]);
  });
});
