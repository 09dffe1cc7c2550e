/** V8 cuts no shorter texts out of others: it copies them by itself. */
const SHORTEST_SLICE = 13;

/**
 * Returns the same text with memory of its own.
 *
 * What a parser cuts out of a chunk is only a window on it, and keeps all of the chunk as long as it lasts: one id
 * of 120 characters, 64 KiB. To join two parts copies in half the time of all else that does (ews-parse).
 */
export function copied(text: string): string {
  return text.length < SHORTEST_SLICE ? text : [text.slice(0, 1), text.slice(1)].join('');
}
