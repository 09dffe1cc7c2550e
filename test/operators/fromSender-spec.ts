import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { map, of, type Observable } from 'rxjs';
import { fromSender } from '../../operators/fromSender.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { malformed, type UcwaEvent, ucwa } from './events.ts';

describe('fromSender', () => {
  it('should emit the events of the senders of the relation, and nothing else', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-d-x-s-c-|', ucwa);
      const sourceSubs = '            ^------------!';
      const expected = '              -a-u-d-x-----|';

      expectObservable(source.pipe(fromSender('people'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit a single one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('--a--|', ucwa);
      const sourceSubs = '            ^----!';
      const expected = '              --a--|';

      expectObservable(source.pipe(fromSender('people'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete without an event where none fits', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-s-c-|', ucwa);
      const sourceSubs = '            ^----!';
      const expected = '              -----|';

      expectObservable(source.pipe(fromSender('people'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(fromSender('people'))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(fromSender('people'))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should pass the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a--#', ucwa, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -a--#';

      expectObservable(source.pipe(fromSender('people'))).toBe(expected, ucwa, new Error('connection lost'));
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should unsubscribe from the source when its subscriber leaves', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-a-a-|', ucwa);
      const sourceSubs = '            ^---!';
      const unsub = '                 ----!';
      const expected = '              -a-a-';

      expectObservable(source.pipe(fromSender('people')), unsub).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should drop what is malformed', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('0123456789a|', { ...malformed, ...ucwa });
      const expected = '              ----------a|';

      expectObservable(source.pipe(fromSender('people'))).toBe(expected, ucwa);
    });
  });

  it('should emit the events of one certain sender', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-s-c-|', ucwa);
      const sourceSubs = '            ^------!';
      const expected = '              ---s-c-|';
      const link = { href: 'https://pool.contoso.com/ucwa/v1/Communication' };

      expectObservable(source.pipe(fromSender(link))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should tell senders of one relation apart by their link', () => {
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

  it('should drop what is malformed where a certain sender is wanted', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('0123456789a|', { ...malformed, ...ucwa });
      const expected = '              ----------a|';

      expectObservable(source.pipe(fromSender({ href: '/ucwa/v1/people' }))).toBe(expected, ucwa);
    });
  });

  it('should refuse a relation that is no name, and a link that is no URL', () => {
    expect(() => fromSender('')).to.throw(TypeError, 'fromSender(sender) must be a string, and not empty');
    expect(() => fromSender(7 as unknown as string)).to.throw(TypeError, 'but it is 7');
    expect(() => fromSender({ href: '' })).to.throw(TypeError, 'fromSender(sender).href must be');
    expect(() => fromSender(null as unknown as { href: string })).to.throw(TypeError, 'but it is undefined');
  });

  it('should narrow the type', () => {
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
