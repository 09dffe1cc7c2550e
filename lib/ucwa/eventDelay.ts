/** The server's own default, in seconds, for how long events of presence may wait for others. */
const MEDIUM_SECONDS = 5;
/** How long an event may be under way on top of that. */
const MARGIN_MS = 2000;

/** How long an event of presence may take to come, in milliseconds. */
export function eventDelayMs(mediumSeconds: number | undefined): number {
  return (mediumSeconds ?? MEDIUM_SECONDS) * 1000 + MARGIN_MS;
}
