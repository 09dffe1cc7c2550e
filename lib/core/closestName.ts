/** How many characters of a given name are compared: all known names are shorter. */
const LONGEST = 40;

/**
 * Returns the known name that is closest to one that was given, or undefined if none is close.
 *
 * Upper and lower case are the same, and a known name that begins with the given one is close: a unit is easily
 * forgotten.
 */
export function closestName(given: string, known: readonly string[]): string | undefined {
  const one = given.slice(0, LONGEST).toLowerCase();
  let closest: string | undefined;
  let least = (one.length + 1) / 2;
  for (const name of known) {
    const other = name.toLowerCase();
    const distance = Math.min(editDistance(one, other), 1 + editDistance(one, other.slice(0, one.length)));
    if (distance >= least) continue;
    closest = name;
    least = distance;
  }
  return closest;
}

/** The number of single characters to insert, delete or replace. */
function editDistance(one: string, other: string): number {
  let distance = other.length;
  let row = Array.from({ length: distance + 1 }, (_, index) => index);
  for (const letter of one) {
    let diagonal = Infinity;
    let left = Infinity;
    row = row.map((above, index) => {
      left = Math.min(left + 1, above + 1, diagonal + (letter === other[index - 1] ? 0 : 1));
      diagonal = above;
      return left;
    });
    distance = left;
  }
  return distance;
}
