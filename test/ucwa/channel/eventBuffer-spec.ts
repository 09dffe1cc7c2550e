import { expect } from 'chai';
import { NEVER, Observable, of, Subject, take, throwError } from 'rxjs';
import {
  close,
  fail,
  type EventBuffer,
  eventBuffer,
  push,
  consume,
} from '../../../lib/ucwa/channel/eventBuffer.ts';

/** Consumes values and emits the result of each; synchronous results are not awaited. */
function each<Value, Result>(
  box: EventBuffer<Value>,
  project: (value: Value) => Observable<Result> | Result,
): Observable<Result> {
  return new Observable((subscriber) => {
    const take = (value: Value): Observable<unknown> | undefined => {
      const result = project(value);
      if (!(result instanceof Observable)) {
        subscriber.next(result);
        return undefined;
      }
      return new Observable((one) => {
        one.add(
          result.subscribe({
            next: (each) => subscriber.next(each),
            error: (error: unknown) => one.error(error),
            complete: () => one.complete(),
          }),
        );
      });
    };
    consume(box, { take, failed: (error) => subscriber.error(error) }).subscribe(subscriber);
  });
}

describe('eventBuffer', () => {
  it('buffers values until a consumer takes them, then passes values on', () => {
    const box = eventBuffer<number>();
    const got: number[] = [];
    push(box, 1);
    push(box, 2);
    each(box, (value) => of(value)).subscribe((value) => got.push(value));
    push(box, 3);
    expect(got).to.deep.equal([1, 2, 3]);
  });

  it('keeps the order of values that arrive during delivery', () => {
    const box = eventBuffer<number>();
    const got: number[] = [];
    push(box, 1);
    push(box, 2);
    each(box, (value) => value).subscribe((value) => {
      if (value === 1) push(box, 3);
      got.push(value);
    });
    expect(got).to.deep.equal([1, 2, 3]);
  });

  it('delivers an error after the values before it', () => {
    const box = eventBuffer<number>();
    const got: unknown[] = [];
    push(box, 1);
    fail(box, 'broken');
    push(box, 2);
    each(box, (value) => value).subscribe({
      next: (value) => got.push(value),
      error: (error: unknown) => got.push(error),
    });
    expect(got).to.deep.equal([1, 'broken']);
  });

  it('keeps values for the next consumer', () => {
    const box = eventBuffer<number>();
    const got: number[] = [];
    const takeOf = (many: number): void => {
      each(box, (value) => value)
        .pipe(take(many))
        .subscribe((value) => got.push(value));
    };
    push(box, 1);
    push(box, 2);
    takeOf(1);
    expect(got).to.deep.equal([1]);
    push(box, 3);
    takeOf(2);
    expect(got).to.deep.equal([1, 2, 3]);
  });

  it('delivers a value only after the last one is processed', () => {
    const box = eventBuffer<number>();
    const got: string[] = [];
    const done = new Subject<string>();
    push(box, 1);
    push(box, 2);
    const first = each(box, (value) => (value === 1 ? done : `${value}`)).subscribe((text) => got.push(text));
    push(box, 3);
    done.next('one');
    expect(got).to.deep.equal(['one']);
    first.unsubscribe();
    expect(done.observed).to.equal(false);
    each(box, (value) => `${value}`).subscribe((text) => got.push(text));
    expect(got).to.deep.equal(['one', '2', '3']);
    push(box, 4);
    expect(got.at(-1)).to.equal('4');
  });

  it('continues when the processing of a value completes', () => {
    const box = eventBuffer<number>();
    const got: number[] = [];
    const done = new Subject<number>();
    each(box, (value) => (value === 1 ? done : value)).subscribe((value) => got.push(value));
    push(box, 1);
    push(box, 2);
    expect(got).to.deep.equal([]);
    done.complete();
    expect(got).to.deep.equal([2]);
  });

  it('reports an error of the processing and delivers nothing more', () => {
    const box = eventBuffer<number>();
    let recorded: unknown;
    each(box, () => throwError(() => 'broken')).subscribe({ error: (error: unknown) => (recorded = error) });
    push(box, 1);
    push(box, 2);
    expect(recorded).to.equal('broken');
    expect(box.failure).to.equal(undefined);
    expect(box.pending).to.deep.equal([2]);
  });

  it('reports its error only after the processing of a value', () => {
    const box = eventBuffer<number>();
    const recorded: unknown[] = [];
    each(box, () => NEVER).subscribe({ error: (error: unknown) => recorded.push(error) });
    push(box, 1);
    fail(box, 'broken');
    expect(recorded).to.deep.equal([]);
  });

  it('keeps its error and nothing after it', () => {
    const box = eventBuffer<number>();
    fail(box, 'first');
    fail(box, 'second');
    push(box, 1);
    expect(box.failure).to.deep.equal({ error: 'first' });
    expect(box.pending).to.equal(undefined);
  });

  it('keeps nothing after it is closed', () => {
    const box = eventBuffer<number>();
    const got: number[] = [];
    push(box, 1);
    close(box);
    push(box, 2);
    each(box, (value) => value).subscribe((value) => got.push(value));
    expect(got).to.deep.equal([]);
  });
});
