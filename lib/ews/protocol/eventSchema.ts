import {
  EVENT_NAMES,
  type EwsId,
  type ServerEvent,
  SUBSCRIBABLE_EVENTS,
  type SubscribableEvent,
} from './events.ts';
import {
  type Attributes,
  countPart,
  type MessageBuilder,
  type EventDraft,
  SchemaViolation,
  newEvent,
  newNotification,
  type ElementHandler,
} from './schema.ts';

/** V8 cuts no shorter texts out of others: it copies them by itself. */
const SHORTEST_SLICE = 13;

/**
 * Returns the same text with memory of its own.
 *
 * What a parser cuts out of a chunk is only a window on it, and keeps all of the chunk as long as it lasts: one id
 * of 120 characters, 64 KiB. To join two parts copies in half the time of all else that does (ews-parse).
 */
export function detachString(text: string): string {
  return text.length < SHORTEST_SLICE ? text : [text.slice(0, 1), text.slice(1)].join('');
}

/** A time as Exchange writes it: `2026-11-22T08:15:00Z`. */
const LENGTH = 20;
const HOUR_LENGTH = 14;
const HOUR = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):$/;
const ZERO = 48;

let lastHour = '';
let lastHourTime = NaN;

/**
 * Returns the time that a text says, an invalid date if it says none.
 *
 * Events that come together are of one hour, which is read once: that takes a tenth of `new Date` (ews-parse).
 */
export function timestampOf(text: string): Date {
  const time =
    text.length === LENGTH && text[16] === ':' && text[19] === 'Z'
      ? hourOf(text) + sixty(text, 14) * 60_000 + sixty(text, 17) * 1000
      : NaN;
  return new Date(Number.isNaN(time) ? text : time);
}

/** The time at which the hour of a text began; not a number where it is written otherwise. */
function hourOf(text: string): number {
  if (!text.startsWith(lastHour) || lastHour === '') {
    lastHour = detachString(text.slice(0, HOUR_LENGTH));
    lastHourTime = HOUR.test(lastHour) ? Date.parse(`${lastHour}00:00Z`) : NaN;
  }
  return lastHourTime;
}

/** The two digits at a place, if they are below sixty. */
function sixty(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens < 6 && ones >= 0 && ones < 10 ? tens * 10 + ones : NaN;
}

type Steps = ReadonlyMap<string, ElementHandler>;

/** The id in the attributes of an element; without one, the element is left out. */
function idOf(draft: MessageBuilder, { Id: id = '', ChangeKey: changeKey }: Attributes): EwsId | undefined {
  if (id === '') {
    draft.dropped += 1;
    return undefined;
  }
  return changeKey === undefined
    ? { id: detachString(id) }
    : { id: detachString(id), changeKey: detachString(changeKey) };
}

/**
 * The event of a draft, without the fields that were not there. Those of most events are written all at once: an
 * object that grows field by field is copied while it does (ews-parse).
 */
function eventOf(draft: EventDraft): ServerEvent {
  const { type, subscriptionId, watermark, timestamp, timestampText, item, folder, parentFolder } = draft;
  const { unreadCount, oldItem, oldFolder, oldParentFolder } = draft;
  const isUsual = watermark !== undefined && timestamp !== undefined && parentFolder !== undefined;
  const event: Partial<EventDraft> =
    isUsual && item !== undefined && folder === undefined
      ? { type, subscriptionId, watermark, timestamp, timestampText, item, parentFolder }
      : isUsual && folder !== undefined && item === undefined
        ? { type, subscriptionId, watermark, timestamp, timestampText, folder, parentFolder }
        : {
            type,
            subscriptionId,
            ...(watermark !== undefined && { watermark }),
            ...(timestamp !== undefined && { timestamp, timestampText }),
            ...(item !== undefined && { item }),
            ...(folder !== undefined && { folder }),
            ...(parentFolder !== undefined && { parentFolder }),
          };
  if (unreadCount !== undefined) event.unreadCount = unreadCount;
  if (oldItem !== undefined) event.oldItem = oldItem;
  if (oldFolder !== undefined) event.oldFolder = oldFolder;
  if (oldParentFolder !== undefined) event.oldParentFolder = oldParentFolder;
  // What the type does not have, its steps did not read.
  return event as ServerEvent;
}

function endEvent({ event, notification }: MessageBuilder): void {
  if (event.subscriptionId === '') throw new SchemaViolation('a SubscriptionId before the events', 'none');
  notification.events.push(eventOf(event));
  if (notification.unknownLastWatermark !== undefined) delete notification.unknownLastWatermark;
}

function eventStep(type: ServerEvent['type'], within: Steps): ElementHandler {
  return {
    children: within,
    open: (draft) => (draft.event = newEvent(type, draft.notification.subscriptionId)),
    close: endEvent,
  };
}

const STATUS_PARTS: Steps = new Map<string, ElementHandler>([
  ['Watermark', { close: ({ event }, text) => text !== '' && (event.watermark = detachString(text)) }],
]);

/** An event of a type that is not known: it is counted, and its watermark goes on from there. */
const OTHER: ElementHandler = {
  children: STATUS_PARTS,
  open: (draft, _attributes, localName) => {
    draft.event = newEvent('status', '');
    if (!localName.endsWith('Event')) return;
    draft.dropped += 1;
    (draft.notification.unknownWatermarks ??= []).push('');
  },
  close: ({ event, notification }) => {
    if (event.watermark === undefined) return;
    notification.unknownLastWatermark = event.watermark;
    if (notification.unknownWatermarks?.at(-1) === '')
      notification.unknownWatermarks.splice(-1, 1, event.watermark);
  },
};

const TIME_STAMP: ElementHandler = {
  close: (draft, text) => {
    const { event } = draft;
    const timestamp = timestampOf(text);
    if (Number.isNaN(timestamp.getTime())) {
      draft.dropped += 1;
      return;
    }
    event.timestamp = timestamp;
    event.timestampText = detachString(text);
  },
};

const CHANGE_PARTS: Steps = new Map<string, ElementHandler>([
  ...STATUS_PARTS,
  ['TimeStamp', TIME_STAMP],
  ['ItemId', { open: (draft, attributes) => (draft.event.item = idOf(draft, attributes)) }],
  ['FolderId', { open: (draft, attributes) => (draft.event.folder = idOf(draft, attributes)) }],
  ['ParentFolderId', { open: (draft, attributes) => (draft.event.parentFolder = idOf(draft, attributes)) }],
]);

const UNREAD_COUNT: ElementHandler = {
  close: (draft, text) => {
    // An xs:int: a server may count below zero.
    if (/^[+-]?\d{1,10}$/.test(text)) draft.event.unreadCount = Number(text);
    else draft.dropped += 1;
  },
};

const TRANSFER_PARTS: Steps = new Map<string, ElementHandler>([
  ...CHANGE_PARTS,
  ['OldItemId', { open: (draft, attributes) => (draft.event.oldItem = idOf(draft, attributes)) }],
  ['OldFolderId', { open: (draft, attributes) => (draft.event.oldFolder = idOf(draft, attributes)) }],
  [
    'OldParentFolderId',
    { open: (draft, attributes) => (draft.event.oldParentFolder = idOf(draft, attributes)) },
  ],
]);

const PARTS: Readonly<Record<SubscribableEvent, Steps>> = {
  created: CHANGE_PARTS,
  deleted: CHANGE_PARTS,
  modified: new Map<string, ElementHandler>([...CHANGE_PARTS, ['UnreadCount', UNREAD_COUNT]]),
  moved: TRANSFER_PARTS,
  copied: TRANSFER_PARTS,
  newMail: CHANGE_PARTS,
  freeBusyChanged: CHANGE_PARTS,
};

/** Reads a Notification: the events of one subscription, of all types mixed, in order. */
export const NOTIFICATION: ElementHandler = {
  children: new Map<string, ElementHandler>([
    [
      'SubscriptionId',
      { close: ({ notification }, text) => (notification.subscriptionId = detachString(text)) },
    ],
    ['PreviousWatermark', { close: ({ notification }, text) => (notification.previousWatermark = text) }],
    [
      'MoreEvents',
      {
        close: (draft, text) => {
          draft.notification.moreEvents = text === 'true' || text === '1';
          if (!/^(true|false|1|0)$/.test(text)) draft.dropped += 1;
        },
      },
    ],
    ['StatusEvent', eventStep('status', STATUS_PARTS)],
    ...SUBSCRIBABLE_EVENTS.map((type): [string, ElementHandler] => [
      EVENT_NAMES[type],
      eventStep(type, PARTS[type]),
    ]),
  ]),
  otherwise: OTHER,
  open: (draft) => {
    countPart(draft);
    draft.notification = newNotification();
  },
  close: ({ response, notification }) => {
    if (notification.subscriptionId === '') throw new SchemaViolation('a SubscriptionId', 'none');
    response.notifications.push(notification);
  },
};
