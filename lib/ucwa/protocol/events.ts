import { type Codec, codecOf, isRecord, listCodec, objectCodec, string, success } from '../../core/codec.ts';
import { noteDropped } from '../../core/decode.ts';
import { beforeQuery } from '../../core/text.ts';
import { type EventsResponse, isEventsResponse, type WireEvent, type WireSender } from './eventsResponse.ts';
import { hrefKey } from './href.ts';
import {
  type Embedded,
  embeddedCodec,
  hrefCodec,
  isList,
  linkCodec,
  listOf,
  type NamedLink,
  namedLinkCodec,
  type OneOrMany,
  type Reason,
  reasonCodec,
  type Resource,
} from './resource.ts';

/** The members of every event. */
interface EventFields {
  /** The resource or operation that the event is about. Many events have no other content. */
  readonly link: NamedLink;
  /** The collection that the resource has entered, is in, or has left. */
  readonly in?: NamedLink;
  /** The resource that sent the event, such as `people`. */
  readonly sender: NamedLink;
  /** The resource itself, if the server embedded it. */
  readonly resource?: Resource;
  /** The result of an operation: `Success`, `Failure`, or another word. */
  readonly status?: string;
}

/** The members of events that the server sends. */
interface ServerEventFields extends EventFields {
  /** The reason for the `status`. */
  readonly reason?: Reason;
}

/** A resource was created, or has entered a collection. @inline */
export interface AddedEvent extends ServerEventFields {
  /** The type of the event. */
  readonly type: 'added';
}

/** A resource has changed. A presenceSubscription that is `updated` will expire soon. @inline */
export interface UpdatedEvent extends ServerEventFields {
  /** The type of the event. */
  readonly type: 'updated';
}

/** A resource was deleted, or has left a collection. @inline */
export interface DeletedEvent extends ServerEventFields {
  /** The type of the event. */
  readonly type: 'deleted';
}

/** An operation has started. @inline */
export interface StartedEvent extends ServerEventFields {
  /** The type of the event. */
  readonly type: 'started';
}

/** An operation has completed: see `status` and `reason`. @inline */
export interface CompletedEvent extends ServerEventFields {
  /** The type of the event. */
  readonly type: 'completed';
}

/**
 * Why events or state may be missing at a {@link GapEvent}.
 *
 * - `resume`: the server has lost the volatile state of the application: all its subscriptions.
 * - `resync`: the server has dropped events; any resource may have changed.
 * - `recreated`: the application or subscription in `link` replaces one that was gone.
 *
 * @inline
 */
export type GapReason = 'resume' | 'resync' | 'recreated';

/**
 * A loss: events or state are missing here, so earlier states may be outdated.
 *
 * This library emits it, not the server. After `resume` and `resync` the `link` is the server's link of that
 * name, and the `sender` is the event channel, both without their queries. After `recreated` the `link` is
 * the new application or subscription, and the `sender` is its application; earlier hrefs are no longer
 * valid.
 *
 * @inline
 */
export interface GapEvent extends EventFields {
  /** The type of the event. */
  readonly type: 'gap';
  /** Why. */
  readonly reason: GapReason;
}

/** An event of an undocumented type, unchanged. @inline */
export interface OtherEvent extends ServerEventFields {
  /** The type that the server sent. */
  readonly type: string & {};
}

/** An event of the event channel, distinguished by `type`. */
export type UcwaEvent =
  AddedEvent | UpdatedEvent | DeletedEvent | StartedEvent | CompletedEvent | GapEvent | OtherEvent;

/** An event under construction. */
type EventDraft = { -readonly [Key in keyof OtherEvent]: OtherEvent[Key] };

/** Returns a codec of members that hold events. It drops no element that may be an event. */
function eventList<Value extends object>(item: Codec<Value>): Codec<readonly Value[] | undefined> {
  const list = listCodec(item, isRecord);
  return codecOf<readonly Value[] | undefined>(list.name, (value, context) => {
    if (value === undefined || Array.isArray(value))
      return value === undefined ? success(value) : list.validate(value, context);
    if (isRecord(value)) return list.validate([value], context);
    noteDropped(context);
    return success(undefined);
  });
}

const wireEventCodec: Codec<WireEvent> = objectCodec('event', {
  required: { link: namedLinkCodec, type: string },
  optional: { in: namedLinkCodec, _embedded: embeddedCodec, status: string, reason: reasonCodec },
});

const wireSenderCodec: Codec<WireSender> = objectCodec('sender', {
  required: { rel: string, href: hrefCodec, events: eventList(wireEventCodec) },
  optional: { title: string },
});

const channelLinksCodec: Codec<EventsResponse['_links']> = objectCodec('links', {
  optional: { self: linkCodec, next: linkCodec, resume: linkCodec, resync: linkCodec },
});

/** Decodes an {@link EventsResponse} without the guard, and drops ill-typed optional members. */
export const lenientCodec: Codec<EventsResponse> = objectCodec('events', {
  required: { _links: channelLinksCodec, sender: eventList(wireSenderCodec) },
});

/**
 * Decodes an {@link EventsResponse}.
 *
 * @see [MS-UCWA] EventChannelDetails
 */
export const eventsResponseCodec: Codec<EventsResponse> = codecOf(
  lenientCodec.name,
  // The guard is fast; the codec drops members, and reports errors.
  (value, context) => (isEventsResponse(value) ? success(value) : lenientCodec.validate(value, context)),
  isEventsResponse,
);

/** Returns the events of a response in the server's order. */
export function eventsOf(response: EventsResponse): UcwaEvent[] {
  const events: UcwaEvent[] = [];
  for (const { events: sent = [], ...sender } of response.sender ?? []) {
    for (const event of sent) events.push(eventFrom(event, sender));
  }
  return events;
}

/** Returns an event. Spreading the members would take longer than reading the response. */
function eventFrom(sent: WireEvent, sender: NamedLink): UcwaEvent {
  const { link, type, in: within, _embedded: embedded, status, reason } = sent;
  const resource = embedded === undefined ? undefined : embeddedFor(link, embedded);
  // Most events have both members. Adding them later would double the memory of an event.
  const event: EventDraft =
    within !== undefined && resource !== undefined
      ? { type, link, sender, in: within, resource }
      : { type, link, sender };
  if (within !== undefined) event.in = within;
  if (status !== undefined) event.status = status;
  if (reason !== undefined) event.reason = reason;
  if (resource !== undefined) event.resource = resource;
  return event;
}

/** Returns the embedded resource that an event is about. Its name may differ from the link's. */
function embeddedFor({ rel, href }: NamedLink, embedded: Embedded): Resource | undefined {
  const only = onlyOne(embedded);
  if (only !== undefined) return only;
  // The server chooses the name: every object has a `constructor`.
  const named = Object.hasOwn(embedded, rel) ? embedded[rel] : undefined;
  const candidates =
    named === undefined ? Object.values(embedded).flatMap((one) => listOf(one)) : listOf(named);
  if (candidates.length < 2) return candidates[0];
  const key = hrefKey(href);
  return (
    candidates.find((one) => listOf(one._links?.['self']).some((self) => hrefKey(self.href) === key)) ??
    candidates[0]
  );
}

/** Returns the only embedded resource: a fast path for most events. */
function onlyOne(embedded: Embedded): Resource | undefined {
  let found: OneOrMany<Resource> | undefined;
  for (const name in embedded) {
    if (found !== undefined) return undefined;
    found = embedded[name];
  }
  return found === undefined || isList(found) ? undefined : found;
}

/**
 * Creates the event for a loss that the server reports with a link.
 *
 * Its hrefs have no query: a query may be secret, and an `ack` in it would acknowledge events.
 */
export function gapEvent(rel: 'resume' | 'resync', href: string, channel: string): GapEvent {
  const link = { rel, href: beforeQuery(href) };
  return { type: 'gap', reason: rel, link, sender: { rel: 'events', href: beforeQuery(channel) } };
}

/** Creates the event for an application or subscription that replaces one that was gone. */
export function recreatedEvent(link: NamedLink, application: string): GapEvent {
  return { type: 'gap', reason: 'recreated', link, sender: { rel: 'application', href: application } };
}

/** Returns why there is a gap; undefined if the event is not a {@link GapEvent}. */
export function gapReasonOf(event: UcwaEvent): GapReason | undefined {
  return event.type === 'gap' && typeof event.reason === 'string' ? event.reason : undefined;
}
