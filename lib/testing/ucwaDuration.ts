/** Returns the duration of a subscription in minutes; undefined if it is not one that is allowed. */
export function minutesIn(value: unknown): number | undefined {
  const minutes = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof minutes === 'number' && minutes >= 10 && minutes <= 30 ? minutes : undefined;
}
