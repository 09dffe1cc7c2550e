import { expect } from 'chai';
import { asyncScheduler, range, Subject } from 'rxjs';
import { delayLine } from './delayLine.ts';
import { inVirtualTime } from './virtualTime.ts';

describe('delayLine', () => {
  it('emits at once while nothing is delayed', () => {
    const seen: unknown[] = [];
    range(1, 3)
      .pipe(delayLine().delay())
      .subscribe({ next: (value) => seen.push(value), complete: () => seen.push('complete') });
    expect(seen).to.deep.equal([1, 2, 3, 'complete']);
  });

  it('emits five thousand delayed values in order after a stall', () => {
    const seen: number[] = [];
    const times = new Set<number>();
    inVirtualTime((time) => {
      const way = delayLine();
      const sent$ = new Subject<number>();
      sent$.pipe(way.delay()).subscribe((value) => {
        seen.push(value);
        times.add(asyncScheduler.now());
      });
      time.at(1, () => way.stall(1000));
      time.at(2, () => range(0, 5000).subscribe(sent$));
    });
    expect(seen).to.deep.equal(Array.from({ length: 5000 }, (_, index) => index));
    expect([...times]).to.deep.equal([1001]);
  });

  it('emits no delayed value after it is unsubscribed from', () => {
    const seen: number[] = [];
    inVirtualTime((time) => {
      const way = delayLine();
      const sent$ = new Subject<number>();
      const watching = sent$.pipe(way.delay()).subscribe((value) => seen.push(value));
      time.at(1, () => way.stall(1000));
      time.at(2, () => sent$.next(1));
      time.at(3, () => watching.unsubscribe());
      time.at(4, () => expect(time.timers).to.equal(0));
    });
    expect(seen).to.deep.equal([]);
  });
});
