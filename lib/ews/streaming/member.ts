import type { GapReason, ServerEvent } from '../protocol/events.ts';

/** How many subscriptions one request may name. Page: "GetStreamingEvents operation". */
export const MAX_SUBSCRIPTIONS = 200;

/** One subscription on a connection that it shares with others. */
export interface Member {
  readonly id: string;
  /** How long a connection may last for it. */
  readonly connectionMinutes: number;
  /** Something came for it: the events of one notification. */
  readonly next: (events: readonly ServerEvent[]) => void;
  /** Events may be missing here; the subscription goes on. */
  readonly missed: (reason: GapReason) => void;
  /** The subscription cannot go on. */
  readonly fail: (error: unknown) => void;
}
