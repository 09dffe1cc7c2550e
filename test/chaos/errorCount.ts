/** The number of errors of subscribers by name. */
export interface ErrorCount {
  readonly byName: ReadonlyMap<string, number>;
  note(error: unknown): void;
}

/** Creates a count without errors. */
export function errorCount(): ErrorCount {
  const byName = new Map<string, number>();
  return {
    byName,
    note: (error) => {
      const name = error instanceof Error ? error.name : 'no error';
      byName.set(name, (byName.get(name) ?? 0) + 1);
    },
  };
}
