/**
 * How much there is in a value: its characters, and one for each object, property and number in it. What it
 * holds twice is counted once.
 */
export function weigh(value: unknown): number {
  const seen = new Set<object>();
  const left: unknown[] = [value];
  let weight = 0;
  while (left.length > 0) {
    const one = left.pop();
    weight += typeof one === 'string' ? one.length : 1;
    if (typeof one !== 'object' || one === null || seen.has(one)) continue;
    seen.add(one);
    if (one instanceof Map) {
      for (const [key, held] of one as Map<unknown, unknown>) left.push(key, held);
    } else {
      for (const [key, held] of Object.entries(one)) left.push(key, held);
    }
  }
  return weight;
}
