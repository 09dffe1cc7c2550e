/** A subscription or a connection that has lasted this long was no failure. */
const STEADY_MS = 10_000;

/**
 * Returns how many short lives have ended in a row: a pure function.
 *
 * Only a life of ten seconds begins the count again. Answers do not: a server can give one to every subscription,
 * and lose it right after.
 *
 * @param before The count before this end.
 * @param lastedMs How long the life that has ended was, in milliseconds.
 */
export function shortLives(before: number, lastedMs: number): number {
  return lastedMs >= STEADY_MS ? 1 : before + 1;
}
