import type { EwsId, ServerEvent } from './events.ts';
import type { EwsMessage, Notification, ResponseMessage } from './messages.ts';

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** The attributes of an element, by name. */
export type Attributes = Readonly<Record<string, string>>;

/** What to do with an element. Those that no step is for are skipped, with all that is in them. */
export interface ElementHandler {
  /** The steps of the elements in it, by local name. */
  readonly children?: ReadonlyMap<string, ElementHandler>;
  /** The step of those that have none by name. */
  readonly otherwise?: ElementHandler;
  readonly open?: (draft: MessageBuilder, attributes: Attributes, localName: string) => void;
  /** Called with the text of the element, without the space around it. */
  readonly close?: (draft: MessageBuilder, text: string) => void;
}

/** Something well-formed that is not what the schema says. */
export class SchemaViolation extends Error {
  readonly expected: string;
  readonly actual: string;

  constructor(expected: string, actual: string) {
    super(`expected ${expected}, but there is ${actual}`);
    this.expected = expected;
    this.actual = actual;
  }
}

/** An event as far as it was read, with all that any type has. */
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

/** An envelope as far as it was read. A step touches only what the steps around it have begun. */
export interface MessageBuilder {
  /** What the envelope brings. */
  readonly messages: EwsMessage[];
  /** How many parts were counted; see {@link countPart}. */
  parts: number;
  /** How many members were left out, because their text or attributes are not of their type. */
  dropped: number;
  /** Whether the ResponseClass of the response message is none that the schema knows. */
  isUnclassed: boolean;
  operation: string;
  response: ResponseDraft;
  notification: NotificationDraft;
  event: EventDraft;
  fault: FaultDraft;
  /** Where the values of the MessageXml go that is being read. */
  values: Values;
  valueName: string;
}

/** Where there is no MessageXml. Nobody writes into it. */
export const NO_VALUES: Values = new Map();

/** A response message of which nothing was read. */
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

/** A notification of which nothing was read. */
export function newNotification(): NotificationDraft {
  return { subscriptionId: '', moreEvents: false, events: [] };
}

/** An event of which nothing was read. */
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

/** A fault of which nothing was read. */
export function newFault(): FaultDraft {
  return { faultCode: '', faultString: '', values: NO_VALUES };
}

/** What stands in each draft until there is another: nobody writes into it (1,000 envelopes of ews-parse). */
const NOTHING_READ = {
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

/** An envelope of which nothing was read. */
export function newBuilder(): MessageBuilder {
  return { messages: [], ...NOTHING_READ };
}

/** How many parts an envelope may have. A part of 4 characters takes 130 bytes of memory. */
const MOST_PARTS = 10_000;

/**
 * Counts a part of an envelope that takes far more memory than characters.
 *
 * @throws GrammarViolation if the envelope has too many.
 */
export function countPart(draft: MessageBuilder): void {
  draft.parts += 1;
  if (draft.parts > MOST_PARTS) {
    throw new SchemaViolation(
      `at most ${MOST_PARTS} response messages, faults, notifications, values and failed ids`,
      'more',
    );
  }
}
