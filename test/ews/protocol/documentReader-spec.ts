import { expect } from 'chai';
import type { ElementHandler, MessageBuilder } from '../../../lib/ews/protocol/schema.ts';
import {
  pathOf,
  type ElementNode,
  type ElementCache,
  elementCache,
} from '../../../lib/ews/protocol/documentReader.ts';

const nothing = (): void => undefined;
const date: ElementHandler = { close: nothing };
const entry: ElementHandler = { children: new Map([['Date', date]]), open: nothing };
const document: ElementHandler = { children: new Map([['List', { children: new Map([['Entry', entry]]) }]]) };

/** Opens nested elements, the first in the root. */
function down(cache: ElementCache<MessageBuilder>, ...names: readonly string[]): ElementNode<MessageBuilder> {
  return names.reduce((parent, name) => cache.open(parent, parent, name), cache.root);
}

/** All elements in the cache. */
function remembered({ root }: ElementCache<MessageBuilder>): ReadonlySet<ElementNode<MessageBuilder>> {
  const found = new Set<ElementNode<MessageBuilder>>([root]);
  for (const node of found) {
    for (const each of node.children.values()) found.add(each);
    if (node.next !== undefined) found.add(node.next);
  }
  return found;
}

describe('elementCache', () => {
  it('finds handlers by local names, with any prefix', () => {
    const cache = elementCache(document);
    for (const names of [
      ['List', 'Entry', 'Date'],
      ['a:List', 'b:Entry', 'c:Date'],
    ]) {
      const node = down(cache, ...names);
      expect(node).to.include({ localName: 'Date', close: nothing, depth: 3 });
      expect(node.parent).to.include({ localName: 'Entry', open: nothing });
      expect(pathOf(node)).to.equal('/List/Entry/Date');
    }
  });

  it('has no handler for an unknown element', () => {
    const node = down(elementCache(document), 'List', 'Date', 'Entry');
    expect([node.open, node.close, node.handlers, node.otherwise]).to.deep.equal(Array(4).fill(undefined));
    expect(pathOf(node)).to.equal('/List/Date/Entry');
  });

  it('returns the same element again, whatever came before', () => {
    const cache = elementCache(document);
    const list = down(cache, 'List');
    const first = cache.open(list, list, 'Entry');
    const other = cache.open(list, first, 'Other');
    expect(cache.open(list, other, 'Entry')).to.equal(first);
    expect(cache.open(list, first, 'Entry')).to.equal(first);
    expect(cache.open(list, first, 'Other')).to.equal(other);
  });

  it('distinguishes elements of one name by their parents', () => {
    const cache = elementCache(document);
    const list = down(cache, 'List');
    const outer = cache.open(list, list, 'Date');
    const inner = down(cache, 'List', 'Entry', 'Date');
    expect(cache.open(list, list, 'Date'))
      .to.equal(outer)
      .and.not.equal(inner);
  });

  it('is bounded, however many names a server sends', () => {
    const cache = elementCache(document);
    let last = cache.root;
    for (let round = 0; round < 3; round += 1) {
      for (let index = 0; index < 1000; index += 1) {
        last = cache.open(cache.root, last, `x${index}:List`);
        last = cache.open(last, last, `y${index}:Entry`);
        expect(pathOf(last)).to.equal('/List/Entry');
      }
    }
    expect(remembered(cache).size).to.be.within(200, 260);
  });
});
