import * as t from 'io-ts';
import type { ServerEvent } from './events.ts';

/** The events of one subscription, in the server's order. */
export interface Notification {
  readonly subscriptionId: string;
  readonly previousWatermark?: string;
  /** Whether there are more that did not fit. */
  readonly moreEvents: boolean;
  readonly events: readonly ServerEvent[];
  /**
   * The watermarks of the events that were left out because their types are not known, an empty one where one has
   * none. Not there for none.
   */
  readonly unknownWatermarks?: readonly string[];
  /** The watermark of the last event, where that one was left out. */
  readonly unknownLastWatermark?: string;
}

/** One response message: what an operation came to. */
export interface ResponseMessage {
  readonly type: 'response';
  /** The local name of the element around it, such as `GetEventsResponse`. */
  readonly operation: string;
  readonly responseClass: 'Success' | 'Warning' | 'Error';
  readonly responseCode: string;
  readonly messageText?: string;
  /** What stands in MessageXml: values by their name, other elements by theirs. */
  readonly values: ReadonlyMap<string, string>;
  readonly subscriptionId?: string;
  readonly watermark?: string;
  readonly notifications: readonly Notification[];
  readonly errorSubscriptionIds: readonly string[];
  readonly connectionStatus?: 'OK' | 'Closed';
}

/** A SOAP fault: the server did not come to the operation. */
export interface FaultMessage {
  readonly type: 'fault';
  readonly faultCode: string;
  readonly faultString: string;
  /** The ResponseCode in the fault's detail. */
  readonly responseCode?: string;
  /** The Message in the fault's detail. */
  readonly message?: string;
  /** What stands in the detail's MessageXml. */
  readonly values: ReadonlyMap<string, string>;
}

/** What a SOAP envelope brings. */
export type EwsMessage = ResponseMessage | FaultMessage;

/** What a server answers to Subscribe. */
export interface SubscribeResponse {
  readonly subscriptionId: string;
  readonly watermark?: string;
}

/** The codec of {@link SubscribeResponse}. */
export const SubscribeResponse: t.Type<SubscribeResponse> = t.intersection([
  t.type({ subscriptionId: t.string }),
  t.partial({ watermark: t.string }),
]);
