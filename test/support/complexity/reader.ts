/** Code that reads a text of a server. */
export interface Reader {
  readonly name: string;
  readonly read: (text: string) => unknown;
  /** What leads a text into the middle of the reader. */
  readonly beginnings: readonly string[];
  /** Pieces that its texts repeat besides those that all readers get. */
  readonly pieces: readonly string[];
}

/** Names a {@link Reader}. */
export function reader(
  name: string,
  read: Reader['read'],
  beginnings: readonly string[] = [''],
  pieces: readonly string[] = [],
): Reader {
  return { name, read, beginnings, pieces };
}
