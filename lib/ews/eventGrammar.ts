import { copied } from './copied.ts';
import { EVENT_NAMES, SUBSCRIBABLE_EVENTS } from './eventNames.ts';
import {
  type Attributes,
  countPart,
  type Draft,
  type EventDraft,
  GrammarViolation,
  newEvent,
  newNotification,
  type Step,
} from './grammar.ts';
import { timestampOf } from './timestamp.ts';
import type { EwsId, ServerEvent, SubscribableEvent } from './events.ts';

type Steps = ReadonlyMap<string, Step>;

/** The id in the attributes of an element; without one, the element is left out. */
function idOf(draft: Draft, { Id: id = '', ChangeKey: changeKey }: Attributes): EwsId | undefined {
  if (id === '') {
    draft.dropped += 1;
    return undefined;
  }
  return changeKey === undefined ? { id: copied(id) } : { id: copied(id), changeKey: copied(changeKey) };
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

function endEvent({ event, notification }: Draft): void {
  if (event.subscriptionId === '') throw new GrammarViolation('a SubscriptionId before the events', 'none');
  notification.events.push(eventOf(event));
  if (notification.skippedWatermark !== undefined) delete notification.skippedWatermark;
}

function eventStep(type: ServerEvent['type'], within: Steps): Step {
  return {
    within,
    open: (draft) => (draft.event = newEvent(type, draft.notification.subscriptionId)),
    close: endEvent,
  };
}

const STATUS_PARTS: Steps = new Map<string, Step>([
  ['Watermark', { close: ({ event }, text) => text !== '' && (event.watermark = copied(text)) }],
]);

/** An event of a type that is not known: it is counted, and its watermark goes on from there. */
const OTHER: Step = {
  within: STATUS_PARTS,
  open: (draft, _attributes, localName) => {
    draft.event = newEvent('status', '');
    if (localName.endsWith('Event')) (draft.notification.skipped ??= []).push('');
  },
  close: ({ event, notification }) => {
    if (event.watermark === undefined) return;
    notification.skippedWatermark = event.watermark;
    if (notification.skipped?.at(-1) === '') notification.skipped.splice(-1, 1, event.watermark);
  },
};

const TIME_STAMP: Step = {
  close: (draft, text) => {
    const { event } = draft;
    const timestamp = timestampOf(text);
    if (Number.isNaN(timestamp.getTime())) {
      draft.dropped += 1;
      return;
    }
    event.timestamp = timestamp;
    event.timestampText = copied(text);
  },
};

const CHANGE_PARTS: Steps = new Map<string, Step>([
  ...STATUS_PARTS,
  ['TimeStamp', TIME_STAMP],
  ['ItemId', { open: (draft, attributes) => (draft.event.item = idOf(draft, attributes)) }],
  ['FolderId', { open: (draft, attributes) => (draft.event.folder = idOf(draft, attributes)) }],
  ['ParentFolderId', { open: (draft, attributes) => (draft.event.parentFolder = idOf(draft, attributes)) }],
]);

const UNREAD_COUNT: Step = {
  close: (draft, text) => {
    // An xs:int: a server may count below zero.
    if (/^[+-]?\d{1,10}$/.test(text)) draft.event.unreadCount = Number(text);
    else draft.dropped += 1;
  },
};

const TRANSFER_PARTS: Steps = new Map<string, Step>([
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
  modified: new Map<string, Step>([...CHANGE_PARTS, ['UnreadCount', UNREAD_COUNT]]),
  moved: TRANSFER_PARTS,
  copied: TRANSFER_PARTS,
  newMail: CHANGE_PARTS,
  freeBusyChanged: CHANGE_PARTS,
};

/** Reads a Notification: the events of one subscription, of all types mixed, in order. */
export const NOTIFICATION: Step = {
  within: new Map<string, Step>([
    ['SubscriptionId', { close: ({ notification }, text) => (notification.subscriptionId = copied(text)) }],
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
    ...SUBSCRIBABLE_EVENTS.map((type): [string, Step] => [EVENT_NAMES[type], eventStep(type, PARTS[type])]),
  ]),
  otherwise: OTHER,
  open: (draft) => {
    countPart(draft);
    draft.notification = newNotification();
  },
  close: ({ response, notification }) => {
    if (notification.subscriptionId === '') throw new GrammarViolation('a SubscriptionId', 'none');
    response.notifications.push(notification);
  },
};
