import { DecodeError } from '../../core/errors.ts';
import type { ServerEvent } from '../protocol/events.ts';
import type { EwsMessage, Notification, ResponseMessage } from '../protocol/messages.ts';

/** What is read, for errors. */
export const NOTIFICATION_SUBJECT = 'Posted notification';

/** What a notification is answered with: the subscription goes on, or it ends. */
export type SubscriptionStatus = 'OK' | 'Unsubscribe';

/** How many watermarks are kept to recognise what comes twice; one notification holds 50 events at most. */
const MOST_KNOWN = 500;

/** Writes the answer to a SendNotification. Page: "SendNotificationResult". */
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
  /** The one subscription that they are for; empty if none is named. */
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

/** What of the events came for the first time. */
interface FirstDelivery {
  /** Those, and every status. */
  readonly events: readonly ServerEvent[];
  /** Where to resume behind them; undefined where none has told that. */
  readonly watermark: string | undefined;
}

/**
 * Creates the memory of one subscription that recognises by their watermarks the events that were delivered
 * before: a server that has missed the answer sends them again, perhaps with more behind them.
 */
export function deduplicate(): (notifications: readonly Notification[]) => FirstDelivery {
  const known = new Set<string>();
  return (notifications) => {
    const isKnown = ({ watermark }: ServerEvent): boolean => watermark !== undefined && known.has(watermark);
    const events = notifications
      .flatMap((notification) => notification.events)
      .filter((event) => event.type === 'status' || !isKnown(event));
    const marks = events.flatMap((event) => (isKnown(event) ? [] : (event.watermark ?? [])));
    const skipped = notifications
      .flatMap((each) => each.unknownWatermarks ?? [])
      .filter((mark) => !known.has(mark));
    const { unknownLastWatermark: last = '' } = notifications.at(-1) ?? {};
    const isFresh = last !== '' && !known.has(last);
    for (const mark of [...marks, ...skipped, last]) if (mark !== '') known.add(mark);
    for (const mark of known) {
      if (known.size <= MOST_KNOWN) break;
      known.delete(mark);
    }
    return { events, watermark: isFresh ? last : marks.at(-1) };
  };
}
