import { expect } from 'chai';
import type { ElementHandler } from '../../../lib/ews/protocol/schema.ts';
import {
  pathOf,
  type ElementNode,
  type ElementCache,
  elementCache,
} from '../../../lib/ews/protocol/elements.ts';

const nothing = (): void => undefined;
const date: ElementHandler = { close: nothing };
const entry: ElementHandler = { children: new Map([['Date', date]]), open: nothing };
const document: ElementHandler = { children: new Map([['List', { children: new Map([['Entry', entry]]) }]]) };

/** Opens elements in one another, the first in the root. */
function down(places: ElementCache, ...names: readonly string[]): ElementNode {
  return names.reduce((parent, name) => places.open(parent, parent, name), places.root);
}

/** All places that are remembered. */
function remembered({ root }: ElementCache): ReadonlySet<ElementNode> {
  const found = new Set<ElementNode>([root]);
  for (const place of found) {
    for (const each of place.children.values()) found.add(each);
    if (place.next !== undefined) found.add(place.next);
  }
  return found;
}

describe('The places of a document', () => {
  it('should have the steps of their local names, whatever the prefixes are', () => {
    const places = elementCache(document);
    for (const names of [
      ['List', 'Entry', 'Date'],
      ['a:List', 'b:Entry', 'c:Date'],
    ]) {
      const place = down(places, ...names);
      expect(place).to.include({ localName: 'Date', close: nothing, depth: 3 });
      expect(place.parent).to.include({ localName: 'Entry', open: nothing });
      expect(pathOf(place)).to.equal('/List/Entry/Date');
    }
  });

  it('should have no step where none is known', () => {
    const place = down(elementCache(document), 'List', 'Date', 'Entry');
    expect([place.open, place.close, place.handlers, place.otherwise]).to.deep.equal(
      Array(4).fill(undefined),
    );
    expect(pathOf(place)).to.equal('/List/Date/Entry');
  });

  it('should be the same when they are met again, whatever came before', () => {
    const places = elementCache(document);
    const list = down(places, 'List');
    const first = places.open(list, list, 'Entry');
    const other = places.open(list, first, 'Other');
    expect(places.open(list, other, 'Entry')).to.equal(first);
    expect(places.open(list, first, 'Entry')).to.equal(first);
    expect(places.open(list, first, 'Other')).to.equal(other);
  });

  it('should not be taken for those of the same name in another element', () => {
    const places = elementCache(document);
    const list = down(places, 'List');
    const outer = places.open(list, list, 'Date');
    const inner = down(places, 'List', 'Entry', 'Date');
    expect(places.open(list, list, 'Date'))
      .to.equal(outer)
      .and.not.equal(inner);
  });

  it('should be remembered up to a bound, however many names a server makes up', () => {
    const places = elementCache(document);
    let last = places.root;
    for (let round = 0; round < 3; round += 1) {
      for (let index = 0; index < 1000; index += 1) {
        last = places.open(places.root, last, `x${index}:List`);
        last = places.open(last, last, `y${index}:Entry`);
        expect(pathOf(last)).to.equal('/List/Entry');
      }
    }
    expect(remembered(places).size).to.be.within(200, 260);
  });
});
