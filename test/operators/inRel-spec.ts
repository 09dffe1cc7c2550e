import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { map, of, type Observable } from 'rxjs';
import { inRel } from '../../operators/inRel.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { malformed, type UcwaEvent, ucwa } from './events.ts';

describe('inRel', () => {
  it('should emit the events inside resources of the relations, and nothing else', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-d-x-s-c-|', ucwa);
      const sourceSubs = '            ^------------!';
      const expected = '              -a---d-------|';

      expectObservable(source.pipe(inRel('subscribedContacts', 'myContacts'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit a single one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('--a--|', ucwa);
      const sourceSubs = '            ^----!';
      const expected = '              --a--|';

      expectObservable(source.pipe(inRel('subscribedContacts', 'myContacts'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete without an event where none fits', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-u-x-s-c-|', ucwa);
      const sourceSubs = '            ^--------!';
      const expected = '              ---------|';

      expectObservable(source.pipe(inRel('subscribedContacts', 'myContacts'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(inRel('subscribedContacts', 'myContacts'))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(inRel('subscribedContacts', 'myContacts'))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should pass the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a--#', ucwa, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -a--#';

      expectObservable(source.pipe(inRel('subscribedContacts', 'myContacts'))).toBe(
        expected,
        ucwa,
        new Error('connection lost'),
      );
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should unsubscribe from the source when its subscriber leaves', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-a-a-|', ucwa);
      const sourceSubs = '            ^---!';
      const unsub = '                 ----!';
      const expected = '              -a-a-';

      expectObservable(source.pipe(inRel('subscribedContacts', 'myContacts')), unsub).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should drop what is malformed', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('0123456789a|', { ...malformed, ...ucwa });
      const expected = '              ----------a|';

      expectObservable(source.pipe(inRel('subscribedContacts', 'myContacts'))).toBe(expected, ucwa);
    });
  });

  it('should look at what the resource is in only, not at the resource', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('-a-u-d-|', ucwa);
      const expected = '              ---u---|';

      expectObservable(source.pipe(inRel('contact'))).toBe(expected, ucwa);
    });
  });

  it('should refuse to be made without relations, or with one that is no name', () => {
    expect(() => inRel()).to.throw(TypeError, 'inRel(...rels) must be at least one name');
    expect(() => inRel('')).to.throw(TypeError, 'inRel(...rels) must be a string, and not empty');
  });

  it('should narrow the type', () => {
    const source = of<UcwaEvent[]>(ucwa.a);
    expectTypeOf(
      source.pipe(
        inRel('contact'),
        map((event) => event.in.rel),
      ),
    ).toEqualTypeOf<Observable<'contact'>>();
    expectTypeOf(
      source.pipe(
        inRel('contact'),
        map((event) => event.in.href),
      ),
    ).toEqualTypeOf<Observable<string>>();
  });
});
