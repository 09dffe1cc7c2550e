import { parseArgs, type ParseArgsConfig } from 'node:util';

/** The options of a command. */
type OptionsConfig = NonNullable<ParseArgsConfig['options']>;

type Parsed<Config extends OptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Config; strict: true; allowPositionals: false }>
>['values'];

/** Returns the options of a command line. @throws UsageError for unknown or invalid arguments */
export function parseOptions<Config extends OptionsConfig>(
  args: readonly string[],
  options: Config,
): Parsed<Config> {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    // Node's first sentence names the argument; the rest is about positionals, which no command has.
    const [message] = (cause as Error).message.split('. ', 1);
    throw new UsageError(message, { cause });
  }
}

/** Returns a required option. @throws UsageError if it is missing */
export function required(value: string | undefined, name: string): string {
  if (value === undefined) throw new UsageError(`${name} is missing`);
  return value;
}

/** Returns the value of a numeric option. @throws UsageError if it is not a number */
export function numberArgument(value: string | undefined, name: string): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value.trim() === '' || Number.isNaN(number))
    throw new UsageError(`${name} must be a number, but it is ${JSON.stringify(value)}`);
  return number;
}

/** An error in the command line; the message says what to change. */
export class UsageError extends Error {
  readonly _tag = 'UsageError';
  override readonly name: string = 'UsageError';
}
