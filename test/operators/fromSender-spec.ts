import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { map, of, type Observable } from 'rxjs';
import { fromSender } from '../../operators/fromSender.ts';
import { marbleDiagram } from '../support/marbles/marbleDiagram.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { behavesLikeAFilter } from './behavesLikeAFilter.ts';
import { malformed, type UcwaEvent, ucwa } from './events.ts';

describe('fromSender', () => {
  const senderOf = ({ sender }: UcwaEvent): string => sender.rel;
  marbleDiagram(
    'fromSender',
    "fromSender('people')",
    ({ cold, record }) =>
      record('source, by sender.rel', cold('-a-s-u-c-|', ucwa), senderOf).pipe(fromSender('people')),
    senderOf,
  );

  it('emits events of senders of the relation only', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-d-x-s-c-|', ucwa);
      const sourceSubs = '            ^------------!';
      const expected = '              -a-u-d-x-----|';

      expectObservable(source.pipe(fromSender('people'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  behavesLikeAFilter<UcwaEvent, UcwaEvent>(() => fromSender('people'), {
    passing: ucwa.a,
    dropped: ucwa.s,
    malformed,
  });

  it('emits events of one sender by its link', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-s-c-|', ucwa);
      const sourceSubs = '            ^------!';
      const expected = '              ---s-c-|';
      const link = { href: 'https://pool.contoso.com/ucwa/v1/Communication' };

      expectObservable(source.pipe(fromSender(link))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('distinguishes senders of one relation by their links', () => {
    const events = {
      f: { sender: { rel: 'conversation', href: '/conversations/1' } },
      s: { sender: { rel: 'conversation', href: '/conversations/2' } },
    };
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold('-f-s-f-|', events);
      const both = '       -f-s-f-|';
      const second = '     ---s---|';

      expectObservable(source.pipe(fromSender('conversation'))).toBe(both, events);
      expectObservable(source.pipe(fromSender(events.s.sender))).toBe(second, events);
    });
  });

  it('drops malformed events when given a link', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('0123456789a|', { ...malformed, ...ucwa });
      const expected = '              ----------a|';

      expectObservable(source.pipe(fromSender({ href: '/ucwa/v1/people' }))).toBe(expected, ucwa);
    });
  });

  it('throws for an empty relation or an invalid URL', () => {
    expect(() => fromSender('')).to.throw(TypeError, 'fromSender(sender) must be a non-empty string');
    expect(() => fromSender(7 as unknown as string)).to.throw(TypeError, 'but it is 7');
    expect(() => fromSender({ href: '' })).to.throw(TypeError, 'fromSender(sender).href must be');
    expect(() => fromSender(null as unknown as { href: string })).to.throw(TypeError, 'but it is undefined');
  });

  it('narrows the type', () => {
    const source = of<UcwaEvent[]>(ucwa.a);
    expectTypeOf(
      source.pipe(
        fromSender('people'),
        map(({ sender }) => sender.rel),
      ),
    ).toEqualTypeOf<Observable<'people'>>();
    expectTypeOf(source.pipe(fromSender({ href: '/people' }))).toEqualTypeOf<Observable<UcwaEvent>>();
  });
});
