import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { map, of, type Observable } from 'rxjs';
import { deleted, ofType } from '../../operators/ofType.ts';
import { ofRel } from '../../operators/ofRel.ts';
import { marbleDiagram } from '../support/marbles/marbleDiagram.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { behavesLikeAFilter } from './behavesLikeAFilter.ts';
import { type EwsEvent, ews, malformed, type UcwaEvent, ucwa } from './events.ts';

describe('ofRel', () => {
  const relOf = ({ link }: UcwaEvent): string => link.rel;
  marbleDiagram(
    'ofRel',
    "ofRel('contact')",
    ({ cold, record }) =>
      record('source, by link.rel', cold('-a-u-s-d-|', ucwa), relOf).pipe(ofRel('contact')),
    relOf,
  );

  it('emits events about resources of these relations only', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-d-x-s-c-|', ucwa);
      const sourceSubs = '            ^------------!';
      const expected = '              -a---d-x-----|';

      expectObservable(source.pipe(ofRel('contact', 'presenceSubscription'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  behavesLikeAFilter<UcwaEvent, UcwaEvent>(
    () => ofRel<UcwaEvent, string>('contact', 'presenceSubscription'),
    { passing: ucwa.a, dropped: ucwa.u, malformed },
  );

  it('composes with other filters in either order', () => {
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

  it('ignores the relation of the collection', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('-u-|', ucwa);
      const expected = '              ---|';

      expectObservable(source.pipe(ofRel('contact'))).toBe(expected);
    });
  });

  it('throws without relations or for an empty relation', () => {
    expect(() => ofRel()).to.throw(TypeError, 'ofRel(...rels) must be at least one name');
    expect(() => ofRel('')).to.throw(TypeError, 'ofRel(...rels) must be a non-empty string');
  });

  it('narrows the type', () => {
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
