/** An answer that comes sooner was not held. */
const HELD_AT_LEAST_MS = 1000;

/** The largest number of requests in a row without a wait while no answer is held. */
export const MOST_AT_ONCE = 500;

/** When to send the next request of the event channel. */
export interface ChannelPace {
  /** Wait as after this number of failures in a row; 0 is at once. */
  readonly waitAs: number;
  /** Answers in a row that were not held and brought no event of the server. */
  readonly idle: number;
  /** Requests in a row that were sent without a wait after an answer that was not held. */
  readonly atOnce: number;
}

/** An answer of the event channel, as far as it decides on the next request. */
export interface ChannelAnswer {
  /** The number of events that the server sent; the `gap` event is not one of them. */
  readonly events: number;
  readonly isReset: boolean;
  /** How long the server held the request, in milliseconds. */
  readonly heldMs: number;
}

/** The pace of a channel before its first answer, and after an answer that was held. */
export const AT_ONCE: ChannelPace = { waitAs: 0, idle: 0, atOnce: 0 };

/**
 * Decides when to send the next request after an answer: a pure function.
 *
 * At once after an answer that was held, or brought events. An answer that was not held and brought none is followed
 * by a wait, longer each time. A first reset is followed at once: it is how a restart of the server looks. After 500
 * requests without a wait there is one: a server whose answers never end must not be asked without a pause.
 *
 * @param before The decision after the answer before.
 */
export function nextPace(before: ChannelPace, { events, isReset, heldMs }: ChannelAnswer): ChannelPace {
  if (heldMs >= HELD_AT_LEAST_MS) return AT_ONCE;
  const idle = events > 0 ? 0 : before.idle + 1;
  const waitAs = isReset ? Math.max(0, idle - 1) : idle;
  if (waitAs > 0) return { waitAs, idle, atOnce: 0 };
  if (before.atOnce >= MOST_AT_ONCE) return { waitAs: 1, idle, atOnce: 0 };
  return { waitAs: 0, idle, atOnce: before.atOnce + 1 };
}
