import { invalidOption } from '../../lib/core/options.ts';

/** Throws a TypeError unless there is at least one name and each is a non-empty string. */
export function checkNames(option: string, names: readonly unknown[]): void {
  if (names.length === 0) throw invalidOption(option, names, 'at least one name');
  for (const name of names) {
    if (typeof name !== 'string' || name === '') throw invalidOption(option, name, 'a non-empty string');
  }
}

/** An event with a type. @inline */
export interface TypedEvent<Type extends string = string> {
  /** Such as `added`, `deleted` or `newMail`. */
  readonly type: Type;
}

/** A UCWA link to a resource. @inline */
export interface EventLink<Rel extends string = string> {
  /** The relation: the kind of resource, such as `contactPresence`. */
  readonly rel: Rel;
  /** Absolute, or relative to the server. */
  readonly href: string;
}

/** An event about a resource. @inline */
export interface LinkedEvent {
  /** The resource that the event is about. */
  readonly link: EventLink;
}

/** An event that may be inside a collection. @inline */
export interface ContainedEvent {
  /** The resource that contains the event, such as the list to which a contact was added. */
  readonly in?: EventLink | undefined;
}

/** An event with a sender. @inline */
export interface SentEvent {
  /** The resource that sent the event, such as `people`, `communication` or one conversation. */
  readonly sender: EventLink;
}

/** An event that links to its resource, and may contain it. @inline */
export interface FetchableEvent extends TypedEvent, LinkedEvent {
  /** The resource, if the server embedded it. */
  readonly resource?: unknown;
}

/** The id of an item or a folder, as EWS writes it. @inline */
export interface EventId {
  readonly id: string;
}

/** A mailbox event, which may be about an item or a folder. @inline */
export interface MailboxEvent extends TypedEvent {
  /** The subscription of the event. */
  readonly subscriptionId?: string | undefined;
  /** The item that the event is about. */
  readonly item?: EventId | undefined;
  /** The folder that the event is about. */
  readonly folder?: EventId | undefined;
  /** The folder that contains it. */
  readonly parentFolder?: EventId | undefined;
  /** The folder that contained it before a move or copy. */
  readonly oldParentFolder?: EventId | undefined;
}

/**
 * The members of the union `Event` that are of `Type`.
 *
 * On a union of literal types this equals `Extract`. If no member has exactly that type, the members whose
 * type can be it are narrowed.
 *
 * @inline
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

/** `Event` with a required link at `Key` whose `rel` is narrowed to `Rel`. @inline */
export type WithRel<Event, Key extends 'link' | 'in' | 'sender', Rel extends string> = Event extends unknown
  ? Event & { readonly [Each in Key]: EventLink<Rel> }
  : never;

/**
 * The members of the union `Event` that can have the id of an item or a folder, with that id required.
 *
 * @inline
 */
export type WithId<Event extends MailboxEvent, Key extends 'item' | 'folder'> = Event extends unknown
  ? Key extends keyof Event
    ? Event & { readonly [Each in Key]: NonNullable<Event[Each]> }
    : never
  : never;

/** Returns whether an event has one of the types. */
export function hasType<Event extends TypedEvent, Type extends string>(
  event: Event,
  types: readonly Type[],
): event is OfType<Event, Type> {
  const found = stringAt(event, 'type');
  return types.some((type) => type === found);
}

/** Returns whether the link of an event at `key` has one of the relations. */
export function hasRel<Event, Key extends 'link' | 'in' | 'sender', Rel extends string>(
  event: Event,
  key: Key,
  rels: readonly Rel[],
): event is WithRel<Event, Key, Rel> {
  const found = stringAt(event, key, 'rel');
  return rels.some((rel) => rel === found);
}

/** Returns whether an event has the id of an item or a folder. */
export function hasId<Event extends MailboxEvent, Key extends 'item' | 'folder'>(
  event: Event,
  key: Key,
): event is WithId<Event, Key> {
  return stringAt(event, key, 'id') !== undefined;
}

/**
 * Returns the string at a path of property names, or undefined if there is none.
 *
 * It never throws: a server may send anything as an event.
 */
export function stringAt(value: unknown, ...path: readonly string[]): string | undefined {
  let found = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[key];
  }
  return typeof found === 'string' ? found : undefined;
}
