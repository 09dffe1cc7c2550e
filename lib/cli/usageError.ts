/** The command line cannot be understood; the message says what to change. */
export class UsageError extends Error {
  readonly _tag = 'UsageError';
  override readonly name: string = 'UsageError';
}
