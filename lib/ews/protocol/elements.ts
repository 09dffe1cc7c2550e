import { detachString } from './eventSchema.ts';
import type { ElementHandler } from './schema.ts';

/** An element at its path in a document, with its handlers. */
export interface ElementNode {
  /** As written, with its prefix. */
  readonly name: string;
  readonly localName: string;
  readonly parent: ElementNode | undefined;
  readonly depth: number;
  readonly handlers: ReadonlyMap<string, ElementHandler> | undefined;
  readonly otherwise: ElementHandler | undefined;
  readonly open: ElementHandler['open'];
  readonly close: ElementHandler['close'];
  /** Its child elements that were read before, by name. */
  readonly children: Map<string, ElementNode>;
  /**
   * The element that followed it the last time: comparing a name takes half the time of a lookup (ews-parse).
   */
  next: ElementNode | undefined;
}

/** The elements of documents of the same schema, which are found again by their paths. */
export interface ElementCache {
  /** The parent of the document element. */
  readonly root: ElementNode;
  /** Returns the child of an element, which follows `before` in the document. */
  open(parent: ElementNode, before: ElementNode, name: string): ElementNode;
}

const SKIP: ElementHandler = {};
/** An unlimited number of names must not fill the memory. */
const MAX_ELEMENTS = 256;

/** Creates a cache of the elements of documents. */
export function elementCache(document: ElementHandler): ElementCache {
  const root = createNode('', '', undefined, document);
  let size = 0;

  const lookUp = (parent: ElementNode, before: ElementNode, name: string): ElementNode => {
    const cached = parent.children.get(name);
    if (cached !== undefined) {
      before.next = cached;
      return cached;
    }
    const detached = detachString(name);
    const localName = detached.slice(detached.indexOf(':') + 1);
    const handler = parent.handlers?.get(localName) ?? parent.otherwise ?? SKIP;
    const node = createNode(detached, localName, parent, handler);
    if (size < MAX_ELEMENTS) {
      size += 1;
      parent.children.set(detached, node);
    }
    return node;
  };

  return {
    root,
    open: (parent, before, name) => {
      const { next } = before;
      return next !== undefined && next.parent === parent && next.name === name
        ? next
        : lookUp(parent, before, name);
    },
  };
}

/** All nodes have the same shape, which makes access to them fast (ews-parse). */
function createNode(
  name: string,
  localName: string,
  parent: ElementNode | undefined,
  handler: ElementHandler,
): ElementNode {
  return {
    name,
    localName,
    parent,
    depth: parent === undefined ? 0 : parent.depth + 1,
    handlers: handler.children,
    otherwise: handler.otherwise,
    open: handler.open,
    close: handler.close,
    children: new Map(),
    next: undefined,
  };
}

/** Returns the path of an element, in local names. */
export function pathOf(node: ElementNode): string {
  return node.parent === undefined ? '' : `${pathOf(node.parent)}/${node.localName}`;
}
