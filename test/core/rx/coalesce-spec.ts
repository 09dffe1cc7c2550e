import { expect } from 'chai';
import { defer, EMPTY, type Observable, Subject, throwError } from 'rxjs';
import { coalesce } from '../../../lib/core/rx/coalesce.ts';

describe('oneAtATime', () => {
  let runs: Subject<unknown>[];
  let ask: () => Observable<never>;

  beforeEach(() => {
    runs = [];
    ask = coalesce(() =>
      defer(() => {
        const run = new Subject<unknown>();
        runs.push(run);
        return run;
      }),
    );
  });

  /** Subscribes and records the notifications. */
  function asking(): string[] {
    const seen: string[] = [];
    ask().subscribe({
      next: () => seen.push('next'),
      error: (error: Error) => seen.push(error.message),
      complete: () => seen.push('complete'),
    });
    return seen;
  }

  it('starts immediately if no run is active', () => {
    const seen = asking();
    expect(runs).to.have.length(1);
    runs[0]?.next('ignored');
    expect(seen).to.deep.equal([]);
    runs[0]?.complete();
    expect(seen).to.deep.equal(['complete']);
  });

  it('shares the next run between all calls during a run', () => {
    const first = asking();
    const second = asking();
    const third = asking();
    expect(runs).to.have.length(1);
    runs[0]?.complete();
    expect(first).to.deep.equal(['complete']);
    expect([...second, ...third]).to.deep.equal([]);
    expect(runs).to.have.length(2);
    runs[1]?.complete();
    expect([...second, ...third]).to.deep.equal(['complete', 'complete']);
    expect(runs).to.have.length(2);
  });

  it('emits an error to its callers and starts the next run', () => {
    const first = asking();
    const second = asking();
    runs[0]?.error(new Error('full'));
    expect(first).to.deep.equal(['full']);
    expect(second).to.deep.equal([]);
    runs[1]?.complete();
    expect(second).to.deep.equal(['complete']);
  });

  it('keeps the result of a run that ends before the subscription', () => {
    let count = 0;
    const once = coalesce(() => (++count === 1 ? EMPTY : throwError(() => new Error('full'))));
    let completed = false;
    once().subscribe({ complete: () => (completed = true) });
    expect(completed).to.equal(true);
    once();
    expect(count).to.equal(2);
  });

  it('finishes a run without subscribers', () => {
    ask().subscribe().unsubscribe();
    expect(runs[0]?.observed).to.equal(true);
  });
});
