/**
 * Returns the size of a value: its characters, plus one for each object, property and number. A shared value
 * counts once, such as the subscription id in each of its events.
 */
export function sizeOf(value: unknown): number {
  const seen = new Set<unknown>();
  const left: unknown[] = [value];
  let weight = 0;
  while (left.length > 0) {
    const one = left.pop();
    const isSeen = seen.has(one);
    seen.add(one);
    weight += typeof one === 'string' && !isSeen ? one.length : 1;
    if (typeof one !== 'object' || one === null || isSeen) continue;
    if (one instanceof Map) {
      for (const [key, held] of one as Map<unknown, unknown>) left.push(key, held);
    } else {
      for (const [key, held] of Object.entries(one)) left.push(key, held);
    }
  }
  return weight;
}
