import * as t from 'io-ts';
import { noteDropped } from '../../core/decode.ts';
import { beforeQuery } from '../../core/text.ts';
import { type Codec, codecOf, listCodec, objectCodec } from './collections.ts';
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

/** What every event says. */
interface EventFields {
  /** The resource or operation that the event is about. Often this is all that comes: GET it. */
  readonly link: NamedLink;
  /** The collection that the resource came into, is in, or has left. */
  readonly in?: NamedLink;
  /** The resource that owns what the event is about, such as `people`. */
  readonly sender: NamedLink;
  /** The resource itself, where the server sent it along. */
  readonly resource?: Resource;
  /** How an operation ended: `Success`, `Failure`, or another word. */
  readonly status?: string;
}

/** What the server says in addition. */
interface ServerEventFields extends EventFields {
  /** Why an operation ended as its `status` says. */
  readonly reason?: Reason;
}

/** A resource has come into being, or into a collection. */
export interface AddedEvent extends ServerEventFields {
  /** What happened. */
  readonly type: 'added';
}

/** A resource has changed. A presenceSubscription that is `updated` is about to expire. */
export interface UpdatedEvent extends ServerEventFields {
  /** What happened. */
  readonly type: 'updated';
}

/** A resource is gone, or has left a collection. */
export interface DeletedEvent extends ServerEventFields {
  /** What happened. */
  readonly type: 'deleted';
}

/** An operation has begun. */
export interface StartedEvent extends ServerEventFields {
  /** What happened. */
  readonly type: 'started';
}

/** An operation has ended: see `status` and `reason`. */
export interface CompletedEvent extends ServerEventFields {
  /** What happened. */
  readonly type: 'completed';
}

/**
 * Why events or state may be missing at a {@link GapEvent}.
 *
 * - `resume`: the server has lost the volatile state of the application: all its subscriptions.
 * - `resync`: the server has dropped events; any resource may have changed.
 * - `recreated`: the application or subscription in `link` replaces one that was gone.
 */
export type GapReason = 'resume' | 'resync' | 'recreated';

/**
 * A loss: events or state are missing here, so what is known so far may be outdated.
 *
 * This library emits it, not the server. After `resume` and `resync` the `link` is the server's link of that name, and
 * the `sender` is the event channel, both without their queries. After `recreated` the `link` is the new application or
 * subscription, and the `sender` is its application; earlier hrefs are no longer valid.
 */
export interface GapEvent extends EventFields {
  /** What happened. */
  readonly type: 'gap';
  /** Why. */
  readonly reason: GapReason;
}

/** An event of a type that is not documented, passed on as it came. */
export interface OtherEvent extends ServerEventFields {
  /** What happened, as the server calls it. */
  readonly type: string & {};
}

/** An event of the event channel, told apart by `type`. */
export type UcwaEvent =
  AddedEvent | UpdatedEvent | DeletedEvent | StartedEvent | CompletedEvent | GapEvent | OtherEvent;

/** An event that is being put together. */
type EventDraft = { -readonly [Key in keyof OtherEvent]: OtherEvent[Key] };

/** Returns a codec of members that hold events: an element that may be one is never dropped. */
function eventList<Value extends object>(item: Codec<Value>): Codec<readonly Value[] | undefined> {
  const list = listCodec(item, t.UnknownRecord.is);
  return codecOf<readonly Value[] | undefined>(list.name, (value, context) => {
    if (value === undefined || Array.isArray(value))
      return value === undefined ? t.success(value) : list.validate(value, context);
    if (t.UnknownRecord.is(value)) return list.validate([value], context);
    noteDropped(context);
    return t.success(undefined);
  });
}

const wireEventCodec: Codec<WireEvent> = objectCodec('event', {
  required: { link: namedLinkCodec, type: t.string },
  optional: { in: namedLinkCodec, _embedded: embeddedCodec, status: t.string, reason: reasonCodec },
});

const wireSenderCodec: Codec<WireSender> = objectCodec('sender', {
  required: { rel: t.string, href: hrefCodec, events: eventList(wireEventCodec) },
  optional: { title: t.string },
});

const channelLinksCodec: Codec<EventsResponse['_links']> = objectCodec('links', {
  optional: { self: linkCodec, next: linkCodec, resume: linkCodec, resync: linkCodec },
});

/** The codec alone, which also mends what it can: see {@link isEventsResponse}. */
export const lenientCodec: Codec<EventsResponse> = objectCodec('events', {
  required: { _links: channelLinksCodec, sender: eventList(wireSenderCodec) },
});

/** Decodes an {@link EventsResponse}. [EventChannelDetails] */
export const eventsResponseCodec: Codec<EventsResponse> = new t.Type(
  lenientCodec.name,
  isEventsResponse,
  // The guard takes a twentieth of the time; the codec mends, and tells what is wrong.
  (value, context) => (isEventsResponse(value) ? t.success(value) : lenientCodec.validate(value, context)),
  t.identity,
);

/** The events of an answer, in the server's order. */
export function eventsOf(response: EventsResponse): UcwaEvent[] {
  const events: UcwaEvent[] = [];
  for (const { events: sent = [], ...sender } of response.sender ?? []) {
    for (const event of sent) events.push(eventFrom(event, sender));
  }
  return events;
}

/** Property by property: to spread what came would take longer than to read it. */
function eventFrom(sent: WireEvent, sender: NamedLink): UcwaEvent {
  const { link, type, in: within, _embedded: embedded, status, reason } = sent;
  const resource = embedded === undefined ? undefined : embeddedFor(link, embedded);
  // What most events have is there from the start: added later it takes as much room again, beside the event.
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

/** Of what came along, the resource that the event is about; its name there may be another than the link's. */
function embeddedFor({ rel, href }: NamedLink, embedded: Embedded): Resource | undefined {
  const only = onlyOne(embedded);
  if (only !== undefined) return only;
  // Every object knows a `constructor`, and the server names what it likes.
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

/** The resource where it is the only one, as it mostly is: to look for it by name would take most of the time. */
function onlyOne(embedded: Embedded): Resource | undefined {
  let found: OneOrMany<Resource> | undefined;
  for (const name in embedded) {
    if (found !== undefined) return undefined;
    found = embedded[name];
  }
  return found === undefined || isList(found) ? undefined : found;
}

/**
 * The event for what the server says that it has lost, by a link in an answer of the event channel.
 *
 * Its hrefs have no query: following one with its `ack` would acknowledge events, and others can be secret.
 */
export function gapEvent(rel: 'resume' | 'resync', href: string, channel: string): GapEvent {
  const link = { rel, href: beforeQuery(href) };
  return { type: 'gap', reason: rel, link, sender: { rel: 'events', href: beforeQuery(channel) } };
}

/** The event for what was gone and has been made again on an application. */
export function recreatedEvent(link: NamedLink, application: string): GapEvent {
  return { type: 'gap', reason: 'recreated', link, sender: { rel: 'application', href: application } };
}

/** Returns why there is a gap; undefined if the event is not a {@link GapEvent}. */
export function gapReasonOf(event: UcwaEvent): GapReason | undefined {
  return event.type === 'gap' && typeof event.reason === 'string' ? event.reason : undefined;
}
