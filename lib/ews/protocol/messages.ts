import type { ServerEvent } from './events.ts';

/** The events of one subscription, in the server's order. */
export interface Notification {
  readonly subscriptionId: string;
  readonly previousWatermark?: string;
  /** Whether the server has more events, which did not fit. */
  readonly moreEvents: boolean;
  readonly events: readonly ServerEvent[];
  /**
   * The watermarks of events that were skipped because their types are unknown; empty strings for events
   * without one. Missing if no event was skipped.
   */
  readonly unknownWatermarks?: readonly string[];
  /** The watermark of the last event, if that event was skipped. */
  readonly unknownLastWatermark?: string;
}

/** One response message: the result of an operation. */
export interface ResponseMessage {
  readonly type: 'response';
  /** The local name of the parent element, such as `GetEventsResponse`. */
  readonly operation: string;
  readonly responseClass: 'Success' | 'Warning' | 'Error';
  readonly responseCode: string;
  readonly messageText?: string;
  /** The MessageXml: values by their names, other elements by theirs. */
  readonly values: ReadonlyMap<string, string>;
  readonly subscriptionId?: string;
  readonly watermark?: string;
  readonly notifications: readonly Notification[];
  readonly errorSubscriptionIds: readonly string[];
  readonly connectionStatus?: 'OK' | 'Closed';
}

/** A SOAP fault: the server did not start the operation. */
export interface FaultMessage {
  readonly type: 'fault';
  readonly faultCode: string;
  readonly faultString: string;
  /** The ResponseCode in the fault's detail. */
  readonly responseCode?: string;
  /** The Message in the fault's detail. */
  readonly message?: string;
  /** The MessageXml in the fault's detail. */
  readonly values: ReadonlyMap<string, string>;
}

/** A message in a SOAP envelope. */
export type EwsMessage = ResponseMessage | FaultMessage;
