import type { OperatorFunction } from 'rxjs';
import { inVirtualTime } from '../support/virtualTime.ts';

/** Events for {@link behavesLikeAFilter}. */
export interface FilterEvents<Event> {
  readonly passing: Event;
  readonly dropped: Event;
  /** Ten values that no server should send. The operator must drop them without an error. */
  readonly malformed: Readonly<Record<string, Event>>;
}

/** Specifies the behaviour that all filters share. */
export function behavesLikeAFilter<Event, Result extends Event>(
  operator: () => OperatorFunction<Event, Result>,
  { passing: p, dropped: d, malformed }: FilterEvents<Event>,
): void {
  const values = { ...malformed, p, d } as unknown as Readonly<Record<string, Result>>;
  const lost = new Error('connection lost');
  const cases: readonly [
    title: string,
    source: string,
    expected: string,
    subscription: string,
    leaves?: string,
  ][] = [
    ['emits a single event that matches', '--p--|', '--p--|', '^----!'],
    ['completes without an event if none matches', '-d-d-|', '-----|', '^----!'],
    ['never emits if the source never does', '-', '-', '^'],
    ['completes when the source is empty', '|', '|', '(^!)'],
    ['errors when the source does', '-p--#', '-p--#', '^---!'],
    ['unsubscribes from the source when its subscriber does', '-p-p-p-|', '-p-p-', '^---!', '----!'],
    [
      'drops malformed events',
      `${Object.keys(malformed).join('')}p|`,
      `${'-'.repeat(Object.keys(malformed).length)}p|`,
      `^${'-'.repeat(Object.keys(malformed).length)}!`,
    ],
  ];
  for (const [title, source, expected, subscription, leaves] of cases) {
    it(title, () => {
      inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
        const source$ = cold<Event>(source, values, lost);
        expectObservable(source$.pipe(operator()), leaves).toBe(expected, values, lost);
        expectSubscriptions(source$.subscriptions).toBe(subscription);
      });
    });
  }
}
