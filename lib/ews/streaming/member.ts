import type { Subscriber } from 'rxjs';
import type { GapReason, ServerEvent } from '../protocol/events.ts';

/**
 * How many subscriptions one request may name.
 *
 * @see [EWS] GetStreamingEvents operation
 */
export const MAX_SUBSCRIPTIONS = 200;

/** The events of one notification, or a gap. */
export type MemberUpdate =
  { readonly events: readonly ServerEvent[] } | { readonly events?: never; readonly gap: GapReason };

/** A streaming subscription on a connection that it shares with others. */
export interface Member {
  readonly id: string;
  /** The longest that a request may stay open for it. */
  readonly connectionMinutes: number;
  /** An error ends the subscription. */
  readonly subscriber: Subscriber<MemberUpdate>;
}
