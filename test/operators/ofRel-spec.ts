import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { map, of, type Observable } from 'rxjs';
import { deleted } from '../../operators/deleted.ts';
import { ofRel } from '../../operators/ofRel.ts';
import { ofType } from '../../operators/ofType.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { type EwsEvent, ews, malformed, type UcwaEvent, ucwa } from './events.ts';

describe('ofRel', () => {
  it('should emit the events about resources of the relations, and nothing else', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-d-x-s-c-|', ucwa);
      const sourceSubs = '            ^------------!';
      const expected = '              -a---d-x-----|';

      expectObservable(source.pipe(ofRel('contact', 'presenceSubscription'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should emit a single one', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('--a--|', ucwa);
      const sourceSubs = '            ^----!';
      const expected = '              --a--|';

      expectObservable(source.pipe(ofRel('contact', 'presenceSubscription'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete without an event where none fits', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-u-s-c-|', ucwa);
      const sourceSubs = '            ^------!';
      const expected = '              -------|';

      expectObservable(source.pipe(ofRel('contact', 'presenceSubscription'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should never emit when the source never does', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-');
      const sourceSubs = '            ^';
      const expected = '              -';

      expectObservable(source.pipe(ofRel('contact', 'presenceSubscription'))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should complete when the source is empty', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('|');
      const sourceSubs = '            (^!)';
      const expected = '              |';

      expectObservable(source.pipe(ofRel('contact', 'presenceSubscription'))).toBe(expected);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should pass the error of the source on', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a--#', ucwa, new Error('connection lost'));
      const sourceSubs = '            ^---!';
      const expected = '              -a--#';

      expectObservable(source.pipe(ofRel('contact', 'presenceSubscription'))).toBe(
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

      expectObservable(source.pipe(ofRel('contact', 'presenceSubscription')), unsub).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  it('should drop what is malformed', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('0123456789a|', { ...malformed, ...ucwa });
      const expected = '              ----------a|';

      expectObservable(source.pipe(ofRel('contact', 'presenceSubscription'))).toBe(expected, ucwa);
    });
  });

  it('should narrow further with other operators, in either order', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('-a-u-d-x-s-c-|', ucwa);
      const gone = '                  -----d-------|';
      const names = '                 -n-----------|';

      expectObservable(source.pipe(ofRel('contact'), deleted())).toBe(gone, ucwa);
      expectObservable(
        source.pipe(
          ofType('added'),
          ofRel('contact'),
          map(({ resource }) => resource.name),
        ),
      ).toBe(names, { n: 'Sara' });
    });
  });

  it('should look at the resource only, not at what it is in', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('-u-|', ucwa);
      const expected = '              ---|';

      expectObservable(source.pipe(ofRel('contact'))).toBe(expected);
    });
  });

  it('should refuse to be made without relations, or with one that is no name', () => {
    expect(() => ofRel()).to.throw(TypeError, 'ofRel(...rels) must be at least one name');
    expect(() => ofRel('')).to.throw(TypeError, 'ofRel(...rels) must be a string, and not empty');
  });

  it('should narrow the type', () => {
    const source = of<UcwaEvent[]>(ucwa.a);
    expectTypeOf(
      source.pipe(
        ofRel('contact'),
        map(({ link }) => link.rel),
      ),
    ).toEqualTypeOf<Observable<'contact'>>();
    expectTypeOf(
      source.pipe(
        ofRel('contact', 'contactNote'),
        map(({ link }) => link),
      ),
    ).toExtend<
      Observable<{ readonly rel: 'contact' | 'contactNote'; readonly href: string; readonly title?: string }>
    >();
    // @ts-expect-error the events of EWS have no link
    expect(() => of<EwsEvent[]>(ews.n).pipe(ofRel('contact'))).not.to.throw();
  });
});
