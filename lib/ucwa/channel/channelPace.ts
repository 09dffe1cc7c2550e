/** The server did not wait for events if it responds sooner. */
const WAITED_AT_LEAST_MS = 1000;

/** The largest number of requests in a row without a pause while the server responds at once. */
export const MOST_AT_ONCE = 500;

/** The time of the next request of the event channel. */
export interface ChannelPace {
  /** Wait as after that many failures in a row; 0 is at once. */
  readonly waitAs: number;
  /** Immediate responses without events in a row. */
  readonly idle: number;
  /** Requests in a row that were sent without a pause after an immediate response. */
  readonly atOnce: number;
}

/** A response of the event channel, as far as it determines the next request. */
export interface ChannelResponse {
  /** The number of events without the `gap` event. */
  readonly events: number;
  readonly isGap: boolean;
  /** The time until the response, in milliseconds. */
  readonly waitedMs: number;
}

/** The pace before the first response, and after one that the server delayed. */
export const AT_ONCE: ChannelPace = { waitAs: 0, idle: 0, atOnce: 0 };

/**
 * Returns the pace after a response: a pure function.
 *
 * The next request is sent at once after a response with events, or one that the server delayed. Immediate
 * responses without events are followed by growing waits. A first gap is followed at once, since a restart of
 * the server causes one. After 500 requests without a pause there is one, in case the server never stops
 * sending events.
 *
 * @param before The pace after the last response.
 */
export function nextPace(before: ChannelPace, { events, isGap, waitedMs }: ChannelResponse): ChannelPace {
  if (waitedMs >= WAITED_AT_LEAST_MS) return AT_ONCE;
  const idle = events > 0 ? 0 : before.idle + 1;
  const waitAs = isGap ? Math.max(0, idle - 1) : idle;
  if (waitAs > 0) return { waitAs, idle, atOnce: 0 };
  if (before.atOnce >= MOST_AT_ONCE) return { waitAs: 1, idle, atOnce: 0 };
  return { waitAs: 0, idle, atOnce: before.atOnce + 1 };
}
