import { copied } from './copied.ts';

/** A time as Exchange writes it: `2026-11-22T08:15:00Z`. */
const LENGTH = 20;
const HOUR_LENGTH = 14;
const HOUR = /^\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):$/;
const ZERO = 48;

let lastHour = '';
let lastHourTime = NaN;

/**
 * Returns the time that a text says, an invalid date if it says none.
 *
 * Events that come together are of one hour, which is read once: that takes a tenth of `new Date` (ews-parse).
 */
export function timestampOf(text: string): Date {
  const time =
    text.length === LENGTH && text[16] === ':' && text[19] === 'Z'
      ? hourOf(text) + sixty(text, 14) * 60_000 + sixty(text, 17) * 1000
      : NaN;
  return new Date(Number.isNaN(time) ? text : time);
}

/** The time at which the hour of a text began; not a number where it is written otherwise. */
function hourOf(text: string): number {
  if (!text.startsWith(lastHour) || lastHour === '') {
    lastHour = copied(text.slice(0, HOUR_LENGTH));
    lastHourTime = HOUR.test(lastHour) ? Date.parse(`${lastHour}00:00Z`) : NaN;
  }
  return lastHourTime;
}

/** The two digits at a place, if they are below sixty. */
function sixty(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO;
  const ones = text.charCodeAt(at + 1) - ZERO;
  return tens >= 0 && tens < 6 && ones >= 0 && ones < 10 ? tens * 10 + ones : NaN;
}
