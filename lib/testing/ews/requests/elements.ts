import { SaxesParser } from 'saxes';

/** A request that does not follow the schema. */
export class SchemaViolation extends Error {
  override readonly name: string = 'SchemaViolation';
}

/** An element of a request. */
export interface Element {
  /** The prefix of the schema's own examples and the local name, such as `m:Subscribe`. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

const PREFIXES: ReadonlyMap<string, string> = new Map([
  ['http://schemas.xmlsoap.org/soap/envelope/', 'soap'],
  ['http://schemas.microsoft.com/exchange/services/2006/messages', 'm'],
  ['http://schemas.microsoft.com/exchange/services/2006/types', 't'],
]);

/** How deep elements may be nested: the time for a namespace grows with the depth. */
const MAX_DEPTH = 64;

/** An element that may stand in another, and how often. */
export type Particle = readonly [name: string, min: number, max: number];

/** The children of an element, a list for each particle; they must come in the particles' order. */
export function childrenInOrder(element: Element, particles: readonly Particle[]): Element[][] {
  let next = 0;
  const found = particles.map(([name, min, max]) => {
    const taken: Element[] = [];
    while (element.children[next]?.name === name && taken.length < max) {
      taken.push(element.children[next] as Element);
      next += 1;
    }
    if (taken.length < min) throw new SchemaViolation(`${element.name} lacks ${name} in its place`);
    return taken;
  });
  const extra = element.children[next];
  if (extra !== undefined) throw new SchemaViolation(`${element.name} has ${extra.name} where it may not be`);
  return found;
}

/** The one element of a list; it throws a {@link SchemaViolation} that says what is missing. */
export function only(elements: readonly Element[] | undefined, what: string): Element {
  const [first, ...others] = elements ?? [];
  if (first === undefined || others.length > 0) throw new SchemaViolation(`there is not ${what}`);
  return first;
}

/** The text of the first element. */
export function textOf(elements: readonly Element[] | undefined): string {
  return elements?.[0]?.text ?? '';
}

/** Reads the elements of an envelope. It throws a {@link SchemaViolation}. */
export function readElements(xml: string): Element {
  const document: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [document];
  const parser = new SaxesParser({ xmlns: true });
  parser.on('opentag', ({ uri, local, attributes }) => {
    if (open.length > MAX_DEPTH)
      throw new SchemaViolation(`the request has more than ${MAX_DEPTH} levels of elements`);
    const plain = Object.entries(attributes).map(([name, { value }]) => [name, value] as const);
    const name = `${PREFIXES.get(uri) ?? `{${uri}}`}:${local}`;
    const element: Element = { name, attributes: Object.fromEntries(plain), children: [], text: '' };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  const addText = (text: string): void => {
    const element = open.at(-1);
    if (element !== undefined) element.text += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => open.pop());
  try {
    parser.write(xml).close();
  } catch (error) {
    throw error instanceof SchemaViolation
      ? error
      : new SchemaViolation('the request is not well-formed XML');
  }
  const root = only(document.children, 'one element');
  if (root.name !== 'soap:Envelope') throw new SchemaViolation(`${root.name} is not soap:Envelope`);
  return root;
}

const INT = /^[+-]?\d+$/;
const TRUTH: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/** Returns the whole minutes that a text says, from 1 to `max`; it throws a {@link SchemaViolation}. */
export function readMinutes(name: string, text: string, max: number): number {
  const digits = text.trim();
  const minutes = INT.test(digits) ? Number(digits) : Number.NaN;
  if (minutes >= 1 && minutes <= max) return minutes;
  throw new SchemaViolation(`${name} is not a whole number from 1 to ${max}`);
}

/** Returns the truth that an attribute says; without one, false. It throws a {@link SchemaViolation}. */
export function readBoolean(name: string, text: string = 'false'): boolean {
  const truth = TRUTH.get(text.trim());
  if (truth === undefined) throw new SchemaViolation(`${name} is not true, false, 1 or 0`);
  return truth;
}
