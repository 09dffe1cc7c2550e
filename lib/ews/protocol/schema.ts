import type { EwsId, ServerEvent } from './events.ts';
import type { EwsMessage, Notification, ResponseMessage } from './messages.ts';

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** The attributes of an element, by name. */
export type Attributes = Readonly<Record<string, string>>;

/** Reads an element into a builder. Elements without a handler are skipped, with their children. */
export interface ElementHandler<Builder = MessageBuilder> {
  /** The handlers of its child elements, by local name. */
  readonly children?: ReadonlyMap<string, ElementHandler<Builder>>;
  /** The handler of all other child elements. */
  readonly otherwise?: ElementHandler<Builder>;
  readonly open?: (builder: Builder, attributes: Attributes, localName: string) => void;
  /** Called with the text of the element, without the space around it. */
  readonly close?: (builder: Builder, text: string) => void;
}

/** A document is well-formed, but does not match the schema. */
export class SchemaViolation extends Error {
  readonly expected: string;
  readonly actual: string;

  constructor(expected: string, actual: string) {
    super(`expected ${expected}, but there is ${actual}`);
    this.expected = expected;
    this.actual = actual;
  }
}

/** An event that is being read, with the fields of all types. */
export interface EventDraft {
  readonly type: ServerEvent['type'];
  readonly subscriptionId: string;
  watermark: string | undefined;
  timestamp: Date | undefined;
  timestampText: string | undefined;
  item: EwsId | undefined;
  folder: EwsId | undefined;
  parentFolder: EwsId | undefined;
  unreadCount: number | undefined;
  oldItem: EwsId | undefined;
  oldFolder: EwsId | undefined;
  oldParentFolder: EwsId | undefined;
}

interface NotificationDraft extends Mutable<Notification> {
  readonly events: ServerEvent[];
  unknownWatermarks?: string[];
}

interface ResponseDraft extends Mutable<ResponseMessage> {
  values: Values;
  readonly notifications: Notification[];
  readonly errorSubscriptionIds: string[];
}

/** The values of a MessageXml, by name. */
export type Values = Map<string, string>;

interface FaultDraft {
  faultCode: string;
  faultString: string;
  responseCode?: string;
  message?: string;
  values: Values;
}

/**
 * An envelope that is being read. A handler changes only the parts that the handlers around it have started.
 */
export interface MessageBuilder {
  readonly messages: EwsMessage[];
  /** The parts that {@link countPart} has counted. */
  parts: number;
  /** How many members were dropped because their text or attributes have the wrong type. */
  dropped: number;
  /** Whether the ResponseClass of the response message is not in the schema. */
  isUnclassed: boolean;
  operation: string;
  response: ResponseDraft;
  notification: NotificationDraft;
  event: EventDraft;
  fault: FaultDraft;
  /** The values of the MessageXml that is being read. */
  values: Values;
  valueName: string;
}

/** The values of a message without MessageXml. It is never changed. */
export const NO_VALUES: Values = new Map();

/** Returns an empty response message. */
export function newResponse(operation: string): ResponseDraft {
  return {
    type: 'response',
    operation,
    responseClass: 'Success',
    responseCode: '',
    values: NO_VALUES,
    notifications: [],
    errorSubscriptionIds: [],
  };
}

/** Returns an empty notification. */
export function newNotification(): NotificationDraft {
  return { subscriptionId: '', moreEvents: false, events: [] };
}

/** Returns an empty event. */
export function newEvent(type: ServerEvent['type'], subscriptionId: string): EventDraft {
  return {
    type,
    subscriptionId,
    watermark: undefined,
    timestamp: undefined,
    timestampText: undefined,
    item: undefined,
    folder: undefined,
    parentFolder: undefined,
    unreadCount: undefined,
    oldItem: undefined,
    oldFolder: undefined,
    oldParentFolder: undefined,
  };
}

/** Returns an empty fault. */
export function newFault(): FaultDraft {
  return { faultCode: '', faultString: '', values: NO_VALUES };
}

/**
 * The first state of every builder. Its objects are shared and never changed (ews-parse, 1,000 envelopes).
 */
const EMPTY_BUILDER = {
  parts: 0,
  dropped: 0,
  isUnclassed: false,
  operation: '',
  response: newResponse(''),
  notification: newNotification(),
  event: newEvent('status', ''),
  fault: newFault(),
  values: NO_VALUES,
  valueName: '',
} as const;

/** Returns a builder for one envelope. */
export function newBuilder(): MessageBuilder {
  return { messages: [], ...EMPTY_BUILDER };
}

/** The number of parts in an envelope: a part of 4 characters takes 130 bytes of memory. */
const MAX_PARTS = 10_000;

/**
 * Counts a part of an envelope that takes much more memory than it has characters.
 *
 * @throws SchemaViolation if the envelope has too many.
 */
export function countPart(builder: MessageBuilder): void {
  builder.parts += 1;
  if (builder.parts > MAX_PARTS) {
    throw new SchemaViolation(
      `at most ${MAX_PARTS} response messages, faults, notifications, values and failed ids`,
      'more',
    );
  }
}
