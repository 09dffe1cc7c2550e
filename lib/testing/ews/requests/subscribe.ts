import {
  type Element,
  childrenInOrder,
  only,
  readBoolean,
  readMinutes,
  SchemaViolation,
  textOf,
  readFolderIds,
  type RequestedFolder,
} from './elements.ts';

/** A Subscribe request. */
export interface SubscribeRequest {
  readonly operation: 'Subscribe';
  readonly type: 'pull' | 'streaming' | 'push';
  /** Undefined if the request has none. */
  readonly folders: readonly RequestedFolder[] | undefined;
  readonly allFolders: boolean;
  /** The elements of the events, such as `NewMailEvent`. */
  readonly events: readonly string[];
  readonly watermark: string | undefined;
  /** The lifetime of a pull subscription between two GetEvents; undefined for other types. */
  readonly timeoutMinutes: number | undefined;
  /** The callback of a push subscription. */
  readonly callback: RequestedCallback | undefined;
}

/** The URL for notifications, and the longest time between two. */
export interface RequestedCallback {
  readonly url: string;
  readonly statusFrequencyMinutes: number;
}

const MAX_MINUTES = 1440;

const EVENT_TYPES = new Set([
  'CopiedEvent',
  'CreatedEvent',
  'DeletedEvent',
  'ModifiedEvent',
  'MovedEvent',
  'NewMailEvent',
  'FreeBusyChangedEvent',
]);

const TYPES = {
  'm:PullSubscriptionRequest': 'pull',
  'm:StreamingSubscriptionRequest': 'streaming',
  'm:PushSubscriptionRequest': 'push',
} as const;

/** Returns the request in an `m:Subscribe`. @throws SchemaViolation */
export function readSubscribe(subscribe: Element): SubscribeRequest {
  const element = only(subscribe.children, 'one subscription request in m:Subscribe');
  if (!isSubscriptionRequest(element.name)) {
    throw new SchemaViolation(`the element ${element.name} is not a subscription request of this server`);
  }
  const type = TYPES[element.name];
  const onlyOf = (...types: readonly string[]): 0 | 1 => (types.includes(type) ? 1 : 0);
  const [folderIds, eventTypes, watermark, timeout, frequency, url] = childrenInOrder(element, [
    ['t:FolderIds', 0, 1],
    ['t:EventTypes', 1, 1],
    ['t:Watermark', 0, onlyOf('pull', 'push')],
    ['t:Timeout', onlyOf('pull'), onlyOf('pull')],
    ['t:StatusFrequency', onlyOf('push'), onlyOf('push')],
    ['t:URL', onlyOf('push'), onlyOf('push')],
    ['t:CallerData', 0, onlyOf('push')],
  ]);
  const minutes = (name: string, elements: readonly Element[] | undefined): number =>
    readMinutes(name, textOf(elements), MAX_MINUTES);
  return {
    operation: 'Subscribe',
    type,
    folders: folderIds?.[0] && readFolderIds(folderIds[0]),
    allFolders: readBoolean('SubscribeToAllFolders', element.attributes['SubscribeToAllFolders']),
    events: readEventTypes(only(eventTypes, 'one t:EventTypes')),
    watermark: watermark?.[0]?.text,
    timeoutMinutes: type === 'pull' ? minutes('t:Timeout', timeout) : undefined,
    callback:
      type === 'push'
        ? { url: textOf(url), statusFrequencyMinutes: minutes('t:StatusFrequency', frequency) }
        : undefined,
  };
}

function isSubscriptionRequest(name: string): name is keyof typeof TYPES {
  return Object.hasOwn(TYPES, name);
}

function readEventTypes({ name: list, children }: Element): readonly string[] {
  if (children.length === 0) throw new SchemaViolation(`${list} has no event`);
  return children.map(({ name, text }) => {
    if (name === 't:EventType' && EVENT_TYPES.has(text)) return text;
    throw new SchemaViolation(`t:EventTypes has ${name} ${text}`);
  });
}
