import { detachString } from './eventSchema.ts';
import type { ElementHandler } from './schema.ts';

/** An element where it stands in a document, and what is to be done with it. */
export interface ElementNode {
  /** With its prefix, as it is written. */
  readonly name: string;
  readonly localName: string;
  readonly parent: ElementNode | undefined;
  readonly depth: number;
  readonly handlers: ReadonlyMap<string, ElementHandler> | undefined;
  readonly otherwise: ElementHandler | undefined;
  readonly open: ElementHandler['open'];
  readonly close: ElementHandler['close'];
  /** Those in it that were met before, by name. */
  readonly children: Map<string, ElementNode>;
  /** What followed the last time. To compare a name takes half as long as to look it up (ews-parse). */
  next: ElementNode | undefined;
}

/** The places of documents that are read one after another. */
export interface ElementCache {
  /** Where nothing is open. */
  readonly root: ElementNode;
  /** Returns the place of the element of a name in another, that comes after one in the document. */
  open(parent: ElementNode, before: ElementNode, name: string): ElementNode;
}

const SKIP: ElementHandler = {};
/** A server that makes up names without end must not fill the memory. */
const MOST_KNOWN_PLACES = 256;

/** Creates places that remember those that they have met. */
export function elementCache(document: ElementHandler): ElementCache {
  const root = newPlace('', '', undefined, document);
  let known = 0;

  const lookUp = (parent: ElementNode, before: ElementNode, name: string): ElementNode => {
    const met = parent.children.get(name);
    if (met !== undefined) {
      before.next = met;
      return met;
    }
    const kept = detachString(name);
    const localName = kept.slice(kept.indexOf(':') + 1);
    const step = parent.handlers?.get(localName) ?? parent.otherwise ?? SKIP;
    const place = newPlace(kept, localName, parent, step);
    if (known < MOST_KNOWN_PLACES) {
      known += 1;
      parent.children.set(kept, place);
    }
    return place;
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

/** Of one shape, whatever the step is: what is asked of each element is found at once (ews-parse). */
function newPlace(
  name: string,
  localName: string,
  parent: ElementNode | undefined,
  step: ElementHandler,
): ElementNode {
  return {
    name,
    localName,
    parent,
    depth: parent === undefined ? 0 : parent.depth + 1,
    handlers: step.children,
    otherwise: step.otherwise,
    open: step.open,
    close: step.close,
    children: new Map(),
    next: undefined,
  };
}

/** Returns the local names down to a place, as a path. */
export function pathOf(place: ElementNode): string {
  return place.parent === undefined ? '' : `${pathOf(place.parent)}/${place.localName}`;
}
