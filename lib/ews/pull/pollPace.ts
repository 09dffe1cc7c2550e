/**
 * How many questions may follow one another without a wait: with 50 events in each answer, 25,000 events.
 * Page: "GetEvents operation".
 */
export const MAX_IMMEDIATE = 500;

/** When to ask for events again. */
export interface PollPace {
  readonly waitMs: number;
  /** How many questions in a row were asked without a wait, including the next one. */
  readonly immediate: number;
}

/** What an answer says about the next question. */
export interface PollResult {
  /** Whether the server says that there are more events. */
  readonly moreEvents: boolean;
  /** How many events it brought, except `status`. */
  readonly events: number;
}

/**
 * Decides when to ask again after an answer: a pure function.
 *
 * At once if there are more events, as documented. The interval is kept if the answer brought none, and after every
 * 500 questions without a wait: a server whose answers never end must not be polled without a pause.
 *
 * @param before The decision after the answer before.
 */
export function nextPace(before: PollPace, { moreEvents, events }: PollResult, intervalMs: number): PollPace {
  const isAtOnce = moreEvents && events > 0 && before.immediate < MAX_IMMEDIATE;
  return isAtOnce ? { waitMs: 0, immediate: before.immediate + 1 } : { waitMs: intervalMs, immediate: 0 };
}
