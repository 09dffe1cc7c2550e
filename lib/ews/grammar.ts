import type { EwsId, ServerEvent } from './events.ts';
import type { EwsMessage, Notification, ResponseMessage } from './wire.ts';

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

/** The attributes of an element, by name. */
export type Attributes = Readonly<Record<string, string>>;

/** What to do with an element. Those that no step is for are skipped, with all that is in them. */
export interface Step {
  /** The steps of the elements in it, by local name. */
  readonly within?: ReadonlyMap<string, Step>;
  /** The step of those that have none by name. */
  readonly otherwise?: Step;
  readonly open?: (draft: Draft, attributes: Attributes, localName: string) => void;
  /** Called with the text of the element, without the space around it. */
  readonly close?: (draft: Draft, text: string) => void;
}

/** Something well-formed that is not what the schema says. */
export class GrammarViolation extends Error {
  readonly expected: string;
  readonly actual: string;

  constructor(expected: string, actual: string) {
    super(`expected ${expected}, but there is ${actual}`);
    this.expected = expected;
    this.actual = actual;
  }
}

/** An event as far as it was read. */
export interface EventDraft {
  type: ServerEvent['type'];
  subscriptionId: string;
  watermark?: string;
  timestamp?: Date;
  timestampText?: string;
  item?: EwsId;
  folder?: EwsId;
  parentFolder?: EwsId;
  unreadCount?: number;
  oldItem?: EwsId;
  oldFolder?: EwsId;
  oldParentFolder?: EwsId;
}

interface NotificationDraft extends Mutable<Notification> {
  readonly events: ServerEvent[];
  skipped?: string[];
}

interface ResponseDraft extends Mutable<ResponseMessage> {
  readonly values: Map<string, string>;
  readonly notifications: Notification[];
  readonly errorSubscriptionIds: string[];
}

interface FaultDraft {
  faultCode: string;
  faultString: string;
  responseCode?: string;
  message?: string;
  readonly values: Map<string, string>;
}

/** An envelope as far as it was read. A step touches only what the steps around it have begun. */
export interface Draft {
  /** What the envelope brings. */
  readonly messages: EwsMessage[];
  operation: string;
  response: ResponseDraft;
  notification: NotificationDraft;
  event: EventDraft;
  fault: FaultDraft;
  /** Where the values of the MessageXml go that is being read. */
  values: Map<string, string>;
  valueName: string;
}

/** An envelope of which nothing was read. */
export function newDraft(): Draft {
  const response = newResponse('');
  return {
    messages: [],
    operation: '',
    response,
    notification: newNotification(),
    event: newEvent('status', ''),
    fault: newFault(),
    values: response.values,
    valueName: '',
  };
}

/** A response message of which nothing was read. */
export function newResponse(operation: string): ResponseDraft {
  return {
    type: 'response',
    operation,
    responseClass: 'Success',
    responseCode: '',
    values: new Map(),
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
  return { type, subscriptionId };
}

/** A fault of which nothing was read. */
export function newFault(): FaultDraft {
  return { faultCode: '', faultString: '', values: new Map() };
}
