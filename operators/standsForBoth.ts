import type { TypedEvent } from './event.ts';

/** Of what happens to an item only once, or at each time in the same way, the later event says it all. */
const REPEATED = new Set(['created', 'newMail', 'freeBusyChanged']);

/**
 * Decides which of two events about one item stands for both: a pure function.
 *
 * Nothing is dropped that the other does not imply. A deletion implies what was before; every event but a
 * deletion implies that the item is to be looked at again, which is all that `modified` says; mail that
 * arrived implies that it was created. Two moves, or an arrival and a move, imply nothing of each other.
 *
 * @returns undefined where neither stands for the other.
 */
export function standsForBoth<Event extends TypedEvent>(earlier: Event, later: Event): Event | undefined {
  if (later.type === 'deleted' || earlier.type === 'modified') return later;
  if (earlier.type === 'deleted') return undefined;
  if (later.type === 'modified') return earlier;
  if (earlier.type === later.type) return REPEATED.has(later.type) ? later : undefined;
  if (earlier.type === 'created' && later.type === 'newMail') return later;
  if (earlier.type === 'newMail' && later.type === 'created') return earlier;
  return undefined;
}
