/** What is to be sent next so that a subscription has the contacts that are wanted. */
export interface MemberDifference {
  /** Keys of contacts to add, no more than fit into one request. */
  readonly add: readonly string[];
  /** Keys of contacts to drop. */
  readonly drop: readonly string[];
}

/**
 * The next step from the contacts that a subscription has to those that are wanted; undefined where there is
 * nothing to do. Contacts are dropped first: that makes room.
 *
 * @param mostAtOnce How many contacts the server takes in one request.
 */
export function memberDifference(
  has: ReadonlySet<string>,
  wanted: ReadonlySet<string>,
  mostAtOnce: number,
): MemberDifference | undefined {
  const drop = [...has].filter((key) => !wanted.has(key));
  if (drop.length > 0) return { add: [], drop };
  const add = [...wanted].filter((key) => !has.has(key)).slice(0, mostAtOnce);
  return add.length > 0 ? { add, drop: [] } : undefined;
}
