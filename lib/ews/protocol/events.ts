/** The element of each event that can be subscribed to. */
export const EVENT_NAMES: Readonly<Record<SubscribableEvent, string>> = {
  created: 'CreatedEvent',
  deleted: 'DeletedEvent',
  modified: 'ModifiedEvent',
  moved: 'MovedEvent',
  copied: 'CopiedEvent',
  newMail: 'NewMailEvent',
  freeBusyChanged: 'FreeBusyChangedEvent',
};

/** The events that can be subscribed to. */
export const SUBSCRIBABLE_EVENTS: readonly SubscribableEvent[] = [
  'created',
  'deleted',
  'modified',
  'moved',
  'copied',
  'newMail',
  'freeBusyChanged',
];

/** The id of an item or a folder, as the server writes it. @inline */
export interface EwsId {
  readonly id: string;
  /** The version of the item or folder. Some servers send none. */
  readonly changeKey?: string;
}

interface ChangeEvent {
  /** The subscription that the event is for. */
  readonly subscriptionId: string;
  /** Resumes after this event. Some servers send none. */
  readonly watermark?: string;
  /** When it happened, to the millisecond. Missing if the server sent no valid time. */
  readonly timestamp?: Date;
  /** The time as the server sent it, which may be more precise. */
  readonly timestampText?: string;
  /** The item that has changed. Either `item` or `folder` is present, unless the server sent no valid id. */
  readonly item?: EwsId;
  /** The folder that has changed. */
  readonly folder?: EwsId;
  /** The folder that contains it. */
  readonly parentFolder?: EwsId;
}

/** An item or a folder was created. @inline */
export interface CreatedEvent extends ChangeEvent {
  readonly type: 'created';
}

/** An item or a folder was deleted. A soft delete of a folder is a {@link MovedEvent} instead. @inline */
export interface DeletedEvent extends ChangeEvent {
  readonly type: 'deleted';
}

/** An item or a folder was changed. @inline */
export interface ModifiedEvent extends ChangeEvent {
  readonly type: 'modified';
  /** How many unread items the folder has. The server may count below zero. */
  readonly unreadCount?: number;
}

/** An item or a folder was moved to `parentFolder`. @inline */
export interface MovedEvent extends ChangeEvent {
  readonly type: 'moved';
  readonly oldItem?: EwsId;
  readonly oldFolder?: EwsId;
  readonly oldParentFolder?: EwsId;
}

/** An item or a folder was copied to `parentFolder`. @inline */
export interface CopiedEvent extends ChangeEvent {
  readonly type: 'copied';
  readonly oldItem?: EwsId;
  readonly oldFolder?: EwsId;
  readonly oldParentFolder?: EwsId;
}

/** A message has arrived. It also has a {@link CreatedEvent}, if the subscription includes those. @inline */
export interface NewMailEvent extends ChangeEvent {
  readonly type: 'newMail';
}

/** The free or busy time of the mailbox has changed. @inline */
export interface FreeBusyChangedEvent extends ChangeEvent {
  readonly type: 'freeBusyChanged';
}

/** Nothing has happened, and the subscription exists. It cannot be subscribed to. @inline */
export interface StatusEvent {
  readonly type: 'status';
  readonly subscriptionId: string;
  readonly watermark?: string;
}

/**
 * Why events may be missing.
 *
 * - `subscriptionLost`: the server has ended the subscription, and the new one could not resume.
 * - `watermarkRefused`: the server does not know the watermark.
 * - `eventsMissed`: the server has lost events of this subscription.
 * - `responseLost`: a response with events was lost, and the server sends them only once.
 * - `mailboxMoved`: the mailbox has moved to another server, or failed over.
 * - `suspended`: the connection was suspended.
 * - `connectionLost`: the streaming connection broke or fell silent, perhaps with events on it.
 * - `unreadable`: a part of the stream could not be read.
 *
 * @inline
 */
export type GapReason =
  | 'subscriptionLost'
  | 'watermarkRefused'
  | 'eventsMissed'
  | 'responseLost'
  | 'mailboxMoved'
  | 'suspended'
  | 'connectionLost'
  | 'unreadable';

/**
 * Events may be missing at this position of the stream: read the folders to find out.
 *
 * When it is emitted, the subscription exists, so the folders and the events that follow leave nothing out.
 *
 * @inline
 */
export interface GapEvent {
  readonly type: 'gap';
  /** The subscription whose events follow the gap. */
  readonly subscriptionId: string;
  readonly reason: GapReason;
  /** No earlier event is missing, by the clock of this machine. Missing if there was no response before. */
  readonly since?: Date;
}

/** An event that a server sends. @inline */
export type ServerEvent =
  | CreatedEvent
  | DeletedEvent
  | ModifiedEvent
  | MovedEvent
  | CopiedEvent
  | NewMailEvent
  | FreeBusyChangedEvent
  | StatusEvent;

/** An event of a stream of notifications; `type` distinguishes them. */
export type EwsEvent = ServerEvent | GapEvent;

/** The events that can be subscribed to. @inline */
export type SubscribableEvent = Exclude<ServerEvent['type'], 'status'>;
