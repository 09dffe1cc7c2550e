import type { EwsDialect } from './dialect.ts';
import type { Mailbox } from './mailbox.ts';
import type { MailboxEvent } from './mailboxData.ts';
import { viewFor, matches, type EventFilter } from './eventFilter.ts';

/** What one question for events brings. */
export interface EventPage {
  readonly subscriptionId: string;
  readonly previousWatermark: string;
  readonly moreEvents: boolean;
  readonly events: readonly MailboxEvent[];
  /** The watermark behind an event; of the StatusEvent that comes where there are none, without one. */
  readonly watermarkAt: (sequence?: number) => string;
}

/** The events behind a place in a history, as a subscription sees them. */
export interface PageOfEvents {
  readonly events: readonly MailboxEvent[];
  readonly moreEvents: boolean;
  /** The place in the history that has been reached. */
  readonly reached: number;
}

/** How many events one answer holds at most. */
export const PAGE_SIZE = 50;

/** Returns how many events a subscription has to be told of. */
export function countEvents(
  subscription: EventFilter & { readonly history: Mailbox['history'] },
  start: number,
  dialect: EwsDialect,
): number {
  return subscription.history.slice(start).filter((event) => matches(subscription, event, dialect)).length;
}

/** Returns the next events of a subscription, at most `limit`. */
export function pageOfEvents(
  subscription: EventFilter & { readonly history: Mailbox['history'] },
  start: number,
  dialect: EwsDialect,
  limit: number,
): PageOfEvents {
  const { history } = subscription;
  const matching = history.slice(start).filter((event) => matches(subscription, event, dialect));
  const events = matching.slice(0, limit).map((event) => viewFor(subscription, event));
  const moreEvents = matching.length > limit;
  const reached = moreEvents ? (events.at(-1)?.sequence ?? history.length) : history.length;
  return { events, moreEvents, reached };
}
