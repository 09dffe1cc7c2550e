import {
  type Embedded,
  type Link,
  type Links,
  MOST_EMBEDDED,
  type NamedLink,
  type OneOrMany,
  type Reason,
  type Resource,
} from './resource.ts';

/** An event as it stands in an answer of the event channel. */
export interface WireEvent {
  readonly link: NamedLink;
  readonly type: string;
  readonly in?: NamedLink;
  readonly _embedded?: Embedded;
  readonly status?: string;
  readonly reason?: Reason;
}

/** The events of one sender; one sender can occur several times. */
export interface WireSender extends NamedLink {
  readonly events?: readonly WireEvent[];
}

/** An answer of the event channel. */
export interface EventsResponse {
  readonly _links: {
    readonly self?: Link;
    readonly next?: Link;
    readonly resume?: Link;
    readonly resync?: Link;
  };
  /** Missing or empty where the time was over before there was an event. */
  readonly sender?: readonly WireSender[];
}

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Whether a value is an answer of the event channel as it stands, with nothing for the codec to mend. It says
 * no to nothing that the codec would take as it is, and is many times as fast.
 */
export function isEventsResponse(value: unknown): value is EventsResponse {
  if (!isObject(value) || !isObject(value['_links'])) return false;
  const { self, next, resume, resync } = value['_links'];
  return (
    (self === undefined || isLink(self)) &&
    (next === undefined || isLink(next)) &&
    (resume === undefined || isLink(resume)) &&
    (resync === undefined || isLink(resync)) &&
    (value['sender'] === undefined || isListOf(value['sender'], isSender))
  );
}

function isSender(value: unknown): value is WireSender {
  if (!isObject(value) || !isNamedLink(value)) return false;
  return value['events'] === undefined || isListOf(value['events'], isEvent);
}

function isEvent(value: unknown): value is WireEvent {
  if (!isObject(value)) return false;
  const { link, type, in: within, _embedded: embedded, status, reason } = value;
  return (
    typeof type === 'string' &&
    isNamedLink(link) &&
    (within === undefined || isNamedLink(within)) &&
    (embedded === undefined || isEmbedded(embedded, 1)) &&
    isText(status) &&
    (reason === undefined || isReason(reason))
  );
}

function isReason(value: unknown): value is Reason {
  if (!isObject(value)) return false;
  const { code, subcode, message, link } = value;
  return (
    typeof code === 'string' && isText(subcode) && isText(message) && (link === undefined || isLink(link))
  );
}

function isResource(value: unknown, depth: number): value is Resource {
  if (!isObject(value)) return false;
  const { rel, etag, _links: links, _embedded: embedded } = value;
  return (
    isText(rel) &&
    isText(etag) &&
    (links === undefined || isLinks(links)) &&
    (embedded === undefined || isEmbedded(embedded, depth + 1))
  );
}

/** Whether these are resources, so deep in one another. */
function isEmbedded(value: unknown, depth: number): value is Embedded {
  return depth <= MOST_EMBEDDED && isRecordOf(value, isResource, depth);
}

function isLinks(value: unknown): value is Links {
  return isRecordOf(value, isLink, 0);
}

function isNamedLink(value: unknown): value is NamedLink {
  return isLink(value) && typeof value.rel === 'string';
}

function isLink(value: unknown): value is Link {
  return isObject(value) && isHref(value['href']) && isText(value['rel']) && isText(value['title']);
}

function isHref(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('&amp;');
}

/** Whether it is a text, where there is one. */
function isText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

function isRecordOf<Value>(
  value: unknown,
  isOne: (one: unknown, depth: number) => one is Value,
  depth: number,
): value is Readonly<Record<string, OneOrMany<Value>>> {
  if (!isObject(value)) return false;
  // A list of the keys would take a fifth of the guard's time. What JSON made inherits nothing by name.
  for (const key in value) {
    const one = value[key];
    if (Array.isArray(one) ? !one.every((each) => isOne(each, depth)) : !isOne(one, depth)) return false;
  }
  return true;
}

function isListOf<Value>(value: unknown, isOne: (one: unknown) => one is Value): value is readonly Value[] {
  return Array.isArray(value) && value.every(isOne);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
