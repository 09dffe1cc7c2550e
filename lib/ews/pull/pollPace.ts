/**
 * How many requests may follow one another without a wait: 25,000 events at 50 in each response.
 *
 * @see [EWS] GetEvents operation
 */
export const MAX_IMMEDIATE = 500;

/** When to send the next GetEvents request. */
export interface PollPace {
  readonly waitMs: number;
  /** How many requests in a row were sent without a wait, the next one included. */
  readonly immediate: number;
}

/** The part of a GetEvents response that decides about the next request. */
export interface PollResult {
  /** Whether the server has more events. */
  readonly moreEvents: boolean;
  /** How many events it brought, except `status`. */
  readonly events: number;
}

/**
 * Returns when to send the next request after a response: a pure function.
 *
 * The next request is sent at once if the server has more events. The interval applies if the response
 * brought no events, and after 500 requests without a wait: a server that always has more must not be polled
 * without a pause.
 *
 * @param before The pace after the previous response.
 */
export function nextPace(before: PollPace, { moreEvents, events }: PollResult, intervalMs: number): PollPace {
  const isImmediate = moreEvents && events > 0 && before.immediate < MAX_IMMEDIATE;
  return isImmediate ? { waitMs: 0, immediate: before.immediate + 1 } : { waitMs: intervalMs, immediate: 0 };
}
