/**
 * Returns a function that makes the next event happen at every place, and returns its number. If a delivered
 * event causes another one, all places get the first before the second.
 */
export function happening<Place>(
  places: readonly Place[],
  emit: (place: Place, number: number) => void,
): () => number {
  const due: (readonly [Place, number])[] = [];
  let last = 0;
  return () => {
    last += 1;
    const number = last;
    due.push(...places.map((place) => [place, number] as const));
    for (let next = due.shift(); next !== undefined; next = due.shift()) emit(...next);
    return number;
  };
}
