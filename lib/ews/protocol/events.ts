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

/** The id of an item or a folder, as the server writes it. */
export interface EwsId {
  readonly id: string;
  /** The version of the item or folder. Some servers send none. */
  readonly changeKey?: string;
}

interface ChangeEvent {
  /** The subscription that the event came for. */
  readonly subscriptionId: string;
  /** Where to resume after this event. Some servers send none. */
  readonly watermark?: string;
  /** When it happened, to the millisecond. Not there if the server wrote no valid time. */
  readonly timestamp?: Date;
  /** The same as the server wrote it, which may be finer. */
  readonly timestampText?: string;
  /** The item that it happened to. Either `item` or `folder` is there, unless the server wrote no valid id. */
  readonly item?: EwsId;
  /** The folder that it happened to. */
  readonly folder?: EwsId;
  /** The folder that it is in. */
  readonly parentFolder?: EwsId;
}

/** An item or a folder was created. */
export interface CreatedEvent extends ChangeEvent {
  readonly type: 'created';
}

/** An item or a folder was deleted. On folders, a soft delete is a {@link MovedEvent} instead. */
export interface DeletedEvent extends ChangeEvent {
  readonly type: 'deleted';
}

/** An item or a folder was changed. */
export interface ModifiedEvent extends ChangeEvent {
  readonly type: 'modified';
  /** How many unread items a folder has now, as the server counts: it may be below zero. */
  readonly unreadCount?: number;
}

/** An item or a folder was moved to `parentFolder`. */
export interface MovedEvent extends ChangeEvent {
  readonly type: 'moved';
  readonly oldItem?: EwsId;
  readonly oldFolder?: EwsId;
  readonly oldParentFolder?: EwsId;
}

/** An item or a folder was copied to `parentFolder`. */
export interface CopiedEvent extends ChangeEvent {
  readonly type: 'copied';
  readonly oldItem?: EwsId;
  readonly oldFolder?: EwsId;
  readonly oldParentFolder?: EwsId;
}

/** A message has arrived. Its {@link CreatedEvent} comes as well, to those who asked for it. */
export interface NewMailEvent extends ChangeEvent {
  readonly type: 'newMail';
}

/** The free or busy time of the mailbox has changed. */
export interface FreeBusyChangedEvent extends ChangeEvent {
  readonly type: 'freeBusyChanged';
}

/** Nothing has happened: the server says that the subscription stands. It cannot be subscribed to. */
export interface StatusEvent {
  readonly type: 'status';
  readonly subscriptionId: string;
  readonly watermark?: string;
}

/**
 * Why events may be missing.
 *
 * - `subscriptionLost`: the server dropped the subscription, and the new one could not take up where it was.
 * - `watermarkRefused`: the server does not know the watermark (any more).
 * - `eventsMissed`: the server says that it lost events of this subscription.
 * - `responseLost`: the answer with the events was lost, and the server hands them out only once.
 * - `mailboxMoved`: the mailbox was moved or failed over.
 * - `connectionLost`: the connection that events are streamed on broke or fell silent, with events on it perhaps.
 * - `unreadable`: a part of the stream could not be read.
 */
export type GapReason =
  | 'subscriptionLost'
  | 'watermarkRefused'
  | 'eventsMissed'
  | 'responseLost'
  | 'mailboxMoved'
  | 'connectionLost'
  | 'unreadable';

/**
 * Events may be missing at this place of the stream: look at the folders yourself. When it is emitted, the
 * subscription stands, so that nothing falls between the look and the events that follow.
 */
export interface GapEvent {
  readonly type: 'gap';
  /** The subscription that goes on after the gap. */
  readonly subscriptionId: string;
  readonly reason: GapReason;
  /** Nothing is missing up to then, by this machine's clock. Not there if there was no answer before. */
  readonly since?: Date;
}

/** An event that a server sends. */
export type ServerEvent =
  | CreatedEvent
  | DeletedEvent
  | ModifiedEvent
  | MovedEvent
  | CopiedEvent
  | NewMailEvent
  | FreeBusyChangedEvent
  | StatusEvent;

/** What a stream of notifications emits: a union that is told apart by `type`. */
export type EwsEvent = ServerEvent | GapEvent;

/** The events that can be subscribed to. */
export type SubscribableEvent = Exclude<ServerEvent['type'], 'status'>;
