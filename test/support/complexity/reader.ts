/** A function that reads a text of a server. */
export interface Reader {
  readonly name: string;
  readonly read: (text: string) => unknown;
  /** Beginnings that lead into the middle of the reader. */
  readonly beginnings: readonly string[];
  /** Repeated pieces besides those for all readers. */
  readonly pieces: readonly string[];
}

/** Creates a {@link Reader}. */
export function reader(
  name: string,
  read: Reader['read'],
  beginnings: readonly string[] = [''],
  pieces: readonly string[] = [],
): Reader {
  return { name, read, beginnings, pieces };
}
