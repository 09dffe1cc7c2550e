/** Identifies a release, and the stream whose end has begun it, if one has. */
export interface ReleaseCause {
  readonly release: number;
  readonly stream?: number;
}

/** Finds the stream that has caused a release. */
export interface ReleaseCauses {
  /** The teardown of a stream begins: what is released until {@link leave} belongs to it. */
  readonly enter: (stream: number) => void;
  readonly leave: () => void;
  /** A subscription of this id or href belongs to a stream: its release does, too, whenever it begins. */
  readonly created: (stream: number, id: string) => void;
  /** Returns the cause of a release that begins, or of a creation whose response is outstanding. */
  readonly begun: (resource: string, id: string | undefined) => ReleaseCause;
  /** Returns the cause of a release that has an outcome. */
  readonly settled: (resource: string, id: string | undefined) => ReleaseCause;
}

/**
 * Creates the causes of one connection.
 *
 * A late response to a creation is released outside of any teardown: it belongs to the oldest stream that
 * waits for a response to a creation of such a resource.
 */
export function releaseCauses(): ReleaseCauses {
  const leaving: number[] = [];
  const identified = new Map<string, ReleaseCause>();
  const owners = new Map<string, number>();
  const unidentified: { readonly resource: string; readonly cause: ReleaseCause }[] = [];
  let releases = 0;

  const keyOf = (resource: string, id: string): string => `${resource} ${id}`;
  const next = (stream = leaving.at(-1)): ReleaseCause => {
    return { release: ++releases, ...(stream === undefined ? {} : { stream }) };
  };
  const takeUnidentified = (resource: string): ReleaseCause | undefined => {
    const index = unidentified.findIndex((one) => one.resource === resource);
    return index === -1 ? undefined : unidentified.splice(index, 1)[0]?.cause;
  };

  return {
    enter: (stream) => void leaving.push(stream),
    leave: () => void leaving.pop(),
    created: (stream, id) => void owners.set(id, stream),
    begun: (resource, id) => {
      if (id === undefined) {
        const cause = next();
        unidentified.push({ resource, cause });
        return cause;
      }
      const owner = owners.get(id);
      const isLate = leaving.length === 0 && owner === undefined;
      const cause = (isLate ? takeUnidentified(resource) : undefined) ?? next(owner);
      identified.set(keyOf(resource, id), cause);
      return cause;
    },
    settled: (resource, id) => {
      if (id === undefined) return takeUnidentified(resource) ?? next();
      const key = keyOf(resource, id);
      const cause = identified.get(key) ?? next(owners.get(id));
      identified.delete(key);
      owners.delete(id);
      return cause;
    },
  };
}
