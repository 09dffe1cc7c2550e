import { detachString } from './eventSchema.ts';
import type { ElementHandler } from './schema.ts';

/** An element at its path in a document, with its handlers. */
export interface ElementNode<Builder> {
  /** As written, with its prefix. */
  readonly name: string;
  readonly localName: string;
  readonly parent: ElementNode<Builder> | undefined;
  readonly depth: number;
  readonly handlers: ReadonlyMap<string, ElementHandler<Builder>> | undefined;
  readonly otherwise: ElementHandler<Builder> | undefined;
  readonly open: ElementHandler<Builder>['open'];
  readonly close: ElementHandler<Builder>['close'];
  /** Its child elements that were read before, by name. */
  readonly children: Map<string, ElementNode<Builder>>;
  /**
   * The element that followed it the last time: comparing a name takes half the time of a lookup (ews-parse).
   */
  next: ElementNode<Builder> | undefined;
}

/** The elements of documents of the same schema, which are found again by their paths. */
export interface ElementCache<Builder> {
  /** The parent of the document element. */
  readonly root: ElementNode<Builder>;
  /** Returns the child of an element, which follows `before` in the document. */
  open(parent: ElementNode<Builder>, before: ElementNode<Builder>, name: string): ElementNode<Builder>;
}

const SKIP = {};
/** An unlimited number of names must not fill the memory. */
const MAX_ELEMENTS = 256;

/** Creates a cache of the elements of documents. */
export function elementCache<Builder>(document: ElementHandler<Builder>): ElementCache<Builder> {
  const root = createNode<Builder>('', '', undefined, document);
  let size = 0;

  const lookUp = (
    parent: ElementNode<Builder>,
    before: ElementNode<Builder>,
    name: string,
  ): ElementNode<Builder> => {
    const cached = parent.children.get(name);
    if (cached !== undefined) {
      before.next = cached;
      return cached;
    }
    const detached = detachString(name);
    const localName = detached.slice(detached.indexOf(':') + 1);
    const handler: ElementHandler<Builder> = parent.handlers?.get(localName) ?? parent.otherwise ?? SKIP;
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
function createNode<Builder>(
  name: string,
  localName: string,
  parent: ElementNode<Builder> | undefined,
  handler: ElementHandler<Builder>,
): ElementNode<Builder> {
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
export function pathOf<Builder>(node: ElementNode<Builder>): string {
  return node.parent === undefined ? '' : `${pathOf(node.parent)}/${node.localName}`;
}
