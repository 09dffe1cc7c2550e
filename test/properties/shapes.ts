/** The documented shape of a value: its members, and values that are invalid. */
export interface Shape {
  /** The required members. If one is missing, an optional value is dropped as a whole. */
  readonly required?: Readonly<Record<string, Shape>>;
  readonly optional?: Readonly<Record<string, Shape>>;
  /** All other members, which are optional. */
  readonly others?: () => Shape;
  /** Whether every item of a list is required. */
  readonly isNeeded?: boolean;
  /** Values of other types. */
  readonly wrong: readonly unknown[];
}

/** The path to a value in a message. */
export type Path = readonly (string | number)[];

/** A position in a message that can be damaged, and the member that is lost with it. */
export interface Place {
  readonly path: Path;
  readonly cost: Path;
  readonly wrong: readonly unknown[];
}

const TEXT: Shape = { wrong: [null, 7, true, {}, ['text']] };
const HREF: Shape = { wrong: [...TEXT.wrong, ''] };
const LINK: Shape = {
  ...{ required: { href: HREF }, optional: { rel: TEXT, title: TEXT } },
  wrong: [null, 'text', 7, {}],
};
const NAMED: Shape = {
  ...{ required: { rel: TEXT, href: HREF }, optional: { title: TEXT } },
  wrong: [null, 'text', 7, {}, []],
};
const OBJECT: readonly unknown[] = [null, 'text', 7, []];
const LINKS: Shape = { others: () => LINK, wrong: OBJECT };
const EMBEDDED: Shape = { others: () => RESOURCE, wrong: OBJECT };
const OPTIONAL = { rel: TEXT, etag: TEXT, _embedded: EMBEDDED };
const REASON_OPTIONAL = { subcode: TEXT, message: TEXT, link: { ...LINK, wrong: [...LINK.wrong, []] } };

/** A resource. */
export const RESOURCE: Shape = { optional: { ...OPTIONAL, _links: LINKS }, wrong: [null, 'text', 7] };
/** The body of an error. */
export const REASON: Shape = { required: { code: TEXT }, optional: REASON_OPTIONAL, wrong: OBJECT };

/** Returns the shape of a resource with required links. */
export function resourceWith(...links: readonly string[]): Shape {
  const required = Object.fromEntries(links.map((name) => [name, LINK]));
  return { required: { _links: { ...LINKS, required } }, optional: OPTIONAL, wrong: OBJECT };
}

const EVENT: Shape = {
  required: { link: NAMED, type: TEXT },
  optional: { in: NAMED, status: TEXT, reason: REASON, _embedded: EMBEDDED },
  ...{ isNeeded: true, wrong: [null, 'text', 7, false] },
};
const SENDER: Shape = {
  ...{ required: { rel: TEXT, href: HREF }, optional: { title: TEXT, events: EVENT } },
  ...{ isNeeded: true, wrong: [null, 'text', 7, false] },
};
const ONE_LINK: Shape = { ...LINK, wrong: [...LINK.wrong, []] };

/** Returns the shape of an event channel response with this next link. */
export function channelBy(link: string): Shape {
  const links = { self: ONE_LINK, next: ONE_LINK, resume: ONE_LINK, resync: ONE_LINK };
  return {
    required: { _links: { required: { [link]: ONE_LINK }, optional: links, wrong: [] } },
    ...{ optional: { sender: SENDER }, wrong: [] },
  };
}

/** Returns the positions of a message that can be damaged without losing a required value. */
export function placesIn(value: unknown, shape: Shape, path: Path = [], cost?: Path): readonly Place[] {
  if (Array.isArray(value)) {
    return value.flatMap((one: unknown, index) => {
      const at = [...path, index];
      if (shape.isNeeded === true) return placesIn(one, shape, at);
      return [{ path: at, cost: at, wrong: shape.wrong }, ...placesIn(one, shape, at, at)];
    });
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, one]) => {
    const at = [...path, name];
    const needed = shape.required?.[name];
    const other = shape.optional?.[name] ?? shape.others?.();
    const of = needed ?? other;
    if (of === undefined) return [];
    const price = needed === undefined ? at : cost;
    const place = price === undefined ? [] : [{ path: at, cost: price, wrong: of.wrong }];
    return [...place, ...placesIn(one, of, at, price)];
  });
}

/** The value of a missing member. */
export const MISSING: unique symbol = Symbol('missing');

/** Returns a copy of a message with replaced values, without those that are missing. */
export function withValues(value: unknown, values: ReadonlyMap<string, unknown>, path: Path = []): unknown {
  const key = path.join('/');
  if (values.has(key)) return values.get(key);
  if (Array.isArray(value)) {
    return value
      .map((one: unknown, index) => withValues(one, values, [...path, index]))
      .filter((one) => one !== MISSING);
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, one]) => [name, withValues(one, values, [...path, name])] as const)
      .filter(([, one]) => one !== MISSING),
  );
}

/** Returns a canonical text of a value, without the order of members and the escapes of ampersands. */
export function canonical(value: unknown): string {
  return JSON.stringify(sorted(value)).replaceAll('&amp;', '&');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(members.map(([name, one]) => [name, sorted(one)]));
}
