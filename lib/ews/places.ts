import { copied } from './copied.ts';
import type { Step } from './grammar.ts';

/** An element where it stands in a document, and what is to be done with it. */
export interface Place {
  /** With its prefix, as it is written. */
  readonly name: string;
  readonly localName: string;
  readonly parent: Place | undefined;
  readonly depth: number;
  readonly within: ReadonlyMap<string, Step> | undefined;
  readonly otherwise: Step | undefined;
  readonly open: Step['open'];
  readonly close: Step['close'];
  /** Those in it that were met before, by name. */
  readonly places: Map<string, Place>;
  /** What followed the last time. To compare a name takes half as long as to look it up (ews-parse). */
  next: Place | undefined;
}

/** The places of documents that are read one after another. */
export interface Places {
  /** Where nothing is open. */
  readonly root: Place;
  /** Returns the place of the element of a name in another, that comes after one in the document. */
  open(parent: Place, before: Place, name: string): Place;
}

const SKIP: Step = {};
/** A server that makes up names without end must not fill the memory. */
const MOST_KNOWN_PLACES = 256;

/** Creates places that remember those that they have met. */
export function placesOf(document: Step): Places {
  const root = newPlace('', '', undefined, document);
  let known = 0;

  const lookUp = (parent: Place, before: Place, name: string): Place => {
    const met = parent.places.get(name);
    if (met !== undefined) {
      before.next = met;
      return met;
    }
    const localName = name.slice(name.indexOf(':') + 1);
    const step = parent.within?.get(localName) ?? parent.otherwise ?? SKIP;
    const place = newPlace(copied(name), copied(localName), parent, step);
    if (known < MOST_KNOWN_PLACES) {
      known += 1;
      parent.places.set(name, place);
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
function newPlace(name: string, localName: string, parent: Place | undefined, step: Step): Place {
  return {
    name,
    localName,
    parent,
    depth: parent === undefined ? 0 : parent.depth + 1,
    within: step.within,
    otherwise: step.otherwise,
    open: step.open,
    close: step.close,
    places: new Map(),
    next: undefined,
  };
}

/** Returns the local names down to a place, as a path. */
export function pathOf(place: Place): string {
  return place.parent === undefined ? '' : `${pathOf(place.parent)}/${place.localName}`;
}
