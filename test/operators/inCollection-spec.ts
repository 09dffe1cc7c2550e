import { expect } from 'chai';
import { expectTypeOf } from 'expect-type';
import { map, of, type Observable } from 'rxjs';
import { inCollection } from '../../operators/inCollection.ts';
import { marbleDiagram } from '../support/marbles/marbleDiagram.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { behavesLikeAFilter } from './behavesLikeAFilter.ts';
import { malformed, type UcwaEvent, ucwa } from './events.ts';

describe('inCollection', () => {
  const collectionOf = (event: UcwaEvent): string => event.in?.rel ?? '(none)';
  marbleDiagram(
    'inCollection',
    "inCollection('subscribedContacts')",
    ({ cold, record }) =>
      record('source, by in.rel', cold('-a-x-u-d-|', ucwa), collectionOf).pipe(
        inCollection('subscribedContacts'),
      ),
    collectionOf,
  );

  it('emits events inside resources of these relations only', () => {
    inVirtualTime(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold<UcwaEvent>('-a-u-d-x-s-c-|', ucwa);
      const sourceSubs = '            ^------------!';
      const expected = '              -a---d-------|';

      expectObservable(source.pipe(inCollection('subscribedContacts', 'myContacts'))).toBe(expected, ucwa);
      expectSubscriptions(source.subscriptions).toBe(sourceSubs);
    });
  });

  behavesLikeAFilter<UcwaEvent, UcwaEvent>(() => inCollection('subscribedContacts', 'myContacts'), {
    passing: ucwa.a,
    dropped: ucwa.x,
    malformed,
  });

  it('ignores the relation of the resource', () => {
    inVirtualTime(({ cold, expectObservable }) => {
      const source = cold<UcwaEvent>('-a-u-d-|', ucwa);
      const expected = '              ---u---|';

      expectObservable(source.pipe(inCollection('contact'))).toBe(expected, ucwa);
    });
  });

  it('throws without relations or for an empty relation', () => {
    expect(() => inCollection()).to.throw(TypeError, 'inCollection(...rels) must be at least one name');
    expect(() => inCollection('')).to.throw(TypeError, 'inCollection(...rels) must be a non-empty string');
  });

  it('narrows the type', () => {
    const source = of<UcwaEvent[]>(ucwa.a);
    expectTypeOf(
      source.pipe(
        inCollection('contact'),
        map((event) => event.in.rel),
      ),
    ).toEqualTypeOf<Observable<'contact'>>();
    expectTypeOf(
      source.pipe(
        inCollection('contact'),
        map((event) => event.in.href),
      ),
    ).toEqualTypeOf<Observable<string>>();
  });
});
