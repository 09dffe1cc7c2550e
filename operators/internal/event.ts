import { invalidOption } from '../../lib/core/options.ts';

/** Throws a TypeError unless there is at least one name, and each is a string that is not empty. */
export function checkNames(option: string, names: readonly unknown[]): void {
  if (names.length === 0) throw invalidOption(option, names, 'at least one name');
  for (const name of names) {
    if (typeof name !== 'string' || name === '') throw invalidOption(option, name, 'a string, and not empty');
  }
}

/** An event that says what happened. */
export interface TypedEvent<Type extends string = string> {
  /** What happened, such as `added`, `deleted` or `newMail`. */
  readonly type: Type;
}

/** A reference to a resource, as UCWA writes it. */
export interface EventLink<Rel extends string = string> {
  /** What kind of resource it is, such as `contactPresence`. */
  readonly rel: Rel;
  /** Where the resource is: absolute, or relative to the server. */
  readonly href: string;
}

/** An event that says which resource it is about. */
export interface LinkedEvent {
  /** The resource that the event is about. */
  readonly link: EventLink;
}

/** An event that may say inside which resource it happened. */
export interface ContainedEvent {
  /** The resource that the event happened in, such as the list that a contact was added to. */
  readonly in?: EventLink | undefined;
}

/** An event that says who sent it. */
export interface SentEvent {
  /** The resource that sent the event, such as `people`, `communication` or one conversation. */
  readonly sender: EventLink;
}

/** An event that may bring the resource that it is about along with the link to it. */
export interface FetchableEvent extends TypedEvent, LinkedEvent {
  /** The resource, where the server sent it along. */
  readonly resource?: unknown;
}

/** The id of an item or a folder, as EWS writes it. */
export interface EventId {
  readonly id: string;
}

/** An event of a mailbox, which may be about an item or a folder in it. */
export interface MailboxEvent extends TypedEvent {
  /** The subscription that it came for. */
  readonly subscriptionId?: string | undefined;
  /** The item that the event is about. */
  readonly item?: EventId | undefined;
  /** The folder that the event is about. */
  readonly folder?: EventId | undefined;
  /** The folder that it is in. */
  readonly parentFolder?: EventId | undefined;
  /** The folder that it was in before. */
  readonly oldParentFolder?: EventId | undefined;
}

/**
 * The members of the union `Event` that are of `Type`.
 *
 * On a union of literal types this is what `Extract` gives. Only where no member is of just that type, those
 * count that can be of several or of any, narrowed to it.
 */
export type OfType<Event extends TypedEvent, Type extends string> = Type extends unknown
  ? [Extract<Event, TypedEvent<Type>>] extends [never]
    ? Event extends unknown
      ? Type extends Event['type']
        ? Event & TypedEvent<Type>
        : never
      : never
    : Extract<Event, TypedEvent<Type>>
  : never;

/** `Event` with the link at `Key` there, and its `rel` narrowed to `Rel`. */
export type WithRel<Event, Key extends 'link' | 'in' | 'sender', Rel extends string> = Event extends unknown
  ? Event & { readonly [Each in Key]: EventLink<Rel> }
  : never;

/** The members of the union `Event` that can be about an item, or a folder, with its id there. */
export type WithId<Event extends MailboxEvent, Key extends 'item' | 'folder'> = Event extends unknown
  ? Key extends keyof Event
    ? Event & { readonly [Each in Key]: NonNullable<Event[Each]> }
    : never
  : never;

/** Whether an event is of one of the types; what has no type is of none. */
export function hasType<Event extends TypedEvent, Type extends string>(
  event: Event,
  types: readonly Type[],
): event is OfType<Event, Type> {
  const found = stringAt(event, 'type');
  return types.some((type) => type === found);
}

/** Whether the link that an event has at `key` is of one of the relations; what has no link is of none. */
export function hasRel<Event, Key extends 'link' | 'in' | 'sender', Rel extends string>(
  event: Event,
  key: Key,
  rels: readonly Rel[],
): event is WithRel<Event, Key, Rel> {
  const found = stringAt(event, key, 'rel');
  return rels.some((rel) => rel === found);
}

/** Whether an event says the id of an item, or of a folder. */
export function hasId<Event extends MailboxEvent, Key extends 'item' | 'folder'>(
  event: Event,
  key: Key,
): event is WithId<Event, Key> {
  return stringAt(event, key, 'id') !== undefined;
}

/**
 * The string at a path of property names, or undefined where there is none.
 *
 * Events come from a server: whatever one lacks, reading it must not throw.
 */
export function stringAt(value: unknown, ...path: readonly string[]): string | undefined {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[key];
  }
  return typeof found === 'string' ? found : undefined;
}
