import { DecodeError } from '../../core/errors.ts';
import type { ServerEvent } from '../protocol/events.ts';
import type { EwsMessage, Notification, ResponseMessage } from '../protocol/messages.ts';

/** The name of a posted notification in errors. */
export const NOTIFICATION_SUBJECT = 'Posted notification';

/** The response to a notification: whether the subscription continues. */
export type SubscriptionStatus = 'OK' | 'Unsubscribe';

/** How many watermarks {@link deduplicate} remembers: ten notifications of 50 events. */
const MAX_WATERMARKS = 500;

/**
 * Returns the response to a SendNotification request.
 *
 * @see [EWS] SendNotificationResult
 */
export function sendNotificationResult(status: SubscriptionStatus): string {
  return (
    '<?xml version="1.0" encoding="utf-8"?>' +
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>' +
    '<m:SendNotificationResult xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">' +
    `<m:SubscriptionStatus>${status}</m:SubscriptionStatus>` +
    '</m:SendNotificationResult></soap:Body></soap:Envelope>'
  );
}

/** The response messages of one post. */
export interface PostedMessages {
  readonly messages: readonly ResponseMessage[];
  /** The subscription that the messages are for; empty if they name none. */
  readonly id: string;
}

/**
 * Returns the response messages of a SendNotification, and the subscription that they are for.
 *
 * Servers post for one subscription at a time: several ids in one post are guesses.
 *
 * @throws DecodeError if it is not a SendNotification, or names more than one subscription.
 */
export function postedMessages(messages: readonly EwsMessage[]): PostedMessages {
  const found = messages.filter(
    (message): message is ResponseMessage =>
      message.type === 'response' && message.operation === 'SendNotification',
  );
  if (found.length === 0 || found.length < messages.length) {
    throw unexpected('SendNotification with a response message', 'something else');
  }
  const [id = '', ...others] = new Set(found.flatMap(subscriptionsIn));
  if (others.length > 0) throw unexpected('one SubscriptionId', `${others.length + 1}`);
  return { messages: found, id };
}

/** An error names its subscription among the values. */
function subscriptionsIn({ notifications, values }: ResponseMessage): readonly string[] {
  const named = values.get('SubscriptionId');
  const notified = notifications.map(({ subscriptionId }) => subscriptionId);
  return named === undefined ? notified : [...notified, named];
}

function unexpected(expected: string, actual: string): DecodeError {
  return new DecodeError(NOTIFICATION_SUBJECT, { path: '/Envelope/Body', expected, actual });
}

/** The part of a post that was not posted before. */
interface FirstDelivery {
  /** The new events, and every `status`. */
  readonly events: readonly ServerEvent[];
  /** The watermark of the last new event, if there is one. */
  readonly watermark: string | undefined;
}

/**
 * Creates a function that removes repeated events from the posts of one subscription, by their watermarks.
 *
 * A server that missed the response posts the same events again, perhaps followed by new ones.
 */
export function deduplicate(): (notifications: readonly Notification[]) => FirstDelivery {
  const known = new Set<string>();
  return (notifications) => {
    const isKnown = ({ watermark }: ServerEvent): boolean => watermark !== undefined && known.has(watermark);
    const events = notifications
      .flatMap((notification) => notification.events)
      .filter((event) => event.type === 'status' || !isKnown(event));
    const watermarks = events.flatMap((event) => (isKnown(event) ? [] : (event.watermark ?? [])));
    const unknown = notifications.flatMap(({ unknownWatermarks = [] }) => unknownWatermarks);
    const { unknownLastWatermark: last = '' } = notifications.at(-1) ?? {};
    const isNew = last !== '' && !known.has(last);
    for (const watermark of [...watermarks, ...unknown, last]) if (watermark !== '') known.add(watermark);
    for (const watermark of known) {
      if (known.size <= MAX_WATERMARKS) break;
      known.delete(watermark);
    }
    return { events, watermark: isNew ? last : watermarks.at(-1) };
  };
}
