import { expect } from 'chai';
import { concat, NEVER, Observable, of, Subject, take, throwError } from 'rxjs';
import { shareLatest } from '../../../lib/core/rx/shareLatest.ts';

/** Shares the source and counts its subscriptions and unsubscriptions. */
function sharing(
  source: Observable<number>,
  isCurrent: (value: number) => boolean = () => true,
): { readonly shared$: Observable<number>; readonly opened: string[] } {
  const opened: string[] = [];
  const counted$ = new Observable<number>((subscriber) => {
    opened.push('open');
    source.subscribe(subscriber);
    return () => opened.push('close');
  });
  return { shared$: counted$.pipe(shareLatest(isCurrent)), opened };
}

/** Subscribes and records the notifications. */
function heard(shared$: Observable<number>): { readonly recorded: unknown[]; leave(): void } {
  const recorded: unknown[] = [];
  const subscription = shared$.subscribe({
    next: (value) => recorded.push(value),
    error: (error: unknown) => recorded.push(error),
    complete: () => recorded.push('complete'),
  });
  return { recorded, leave: () => subscription.unsubscribe() };
}

describe('shareLatest', () => {
  it('subscribes once, replays the last value, and unsubscribes with the last subscriber', () => {
    const source = new Subject<number>();
    const { shared$, opened } = sharing(source);
    const one = heard(shared$);
    const other = heard(shared$);
    source.next(1);
    source.next(2);
    const later = heard(shared$);
    source.next(3);
    expect([one, other, later].map(({ recorded }) => recorded)).to.deep.equal([
      [1, 2, 3],
      [1, 2, 3],
      [2, 3],
    ]);
    one.leave();
    other.leave();
    expect(opened).to.deep.equal(['open']);
    later.leave();
    expect(opened).to.deep.equal(['open', 'close']);
    expect(source.observed).to.equal(false);
  });

  it('drops the latest value after the last unsubscription', () => {
    const source = new Subject<number>();
    const { shared$, opened } = sharing(source);
    const one = heard(shared$);
    source.next(1);
    one.leave();
    expect(heard(shared$).recorded).to.deep.equal([]);
    expect(opened).to.deep.equal(['open', 'close', 'open']);
  });

  it('does not replay a value that is not current', () => {
    const source = new Subject<number>();
    const { shared$ } = sharing(source, (value) => value > 1);
    heard(shared$);
    source.next(1);
    const later = heard(shared$);
    expect(later.recorded).to.deep.equal([]);
    source.next(2);
    expect(later.recorded).to.deep.equal([2]);
  });

  it('unsubscribes if its only subscriber completes synchronously', () => {
    const { shared$, opened } = sharing(concat(of(1, 2), NEVER));
    const { recorded } = heard(shared$.pipe(take(1)));
    expect(recorded).to.deep.equal([1, 'complete']);
    expect(opened).to.deep.equal(['open', 'close']);
  });

  for (const [name, end, recorded] of [
    ['an error', (source: Subject<number>): void => source.error('broken'), 'broken'],
    ['a completion', (source: Subject<number>): void => source.complete(), 'complete'],
  ] as const) {
    it(`emits ${name} to all, and resubscribes for a subscriber that it causes`, () => {
      const sources = [new Subject<number>(), new Subject<number>()];
      const { shared$, opened } = sharing(
        new Observable((subscriber) => sources[opened.length === 1 ? 0 : 1]?.subscribe(subscriber)),
      );
      let anew: ReturnType<typeof heard> | undefined;
      const again = (): void => void (anew = heard(shared$));
      shared$.subscribe({ error: again, complete: again });
      const other = heard(shared$);
      sources[0]!.next(1);
      end(sources[0]!);
      expect(other.recorded).to.deep.equal([1, recorded]);
      sources[1]!.next(2);
      expect(anew?.recorded).to.deep.equal([2]);
      expect(opened.filter((one) => one === 'open')).to.have.length(2);
      anew?.leave();
      expect(sources[1]!.observed).to.equal(false);
    });
  }

  it('emits a synchronous error to its only subscriber', () => {
    const { shared$ } = sharing(throwError(() => 'broken'));
    expect(heard(shared$).recorded).to.deep.equal(['broken']);
    expect(heard(shared$).recorded).to.deep.equal(['broken']);
  });
});
