import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from './usageError.ts';

/** Options that a command takes. */
type OptionsConfig = NonNullable<ParseArgsConfig['options']>;

type Parsed<Config extends OptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: Config; strict: true; allowPositionals: false }>
>['values'];

/** Returns the options of a command line, and throws a {@link UsageError} for what the command does not know. */
export function parseOptions<Config extends OptionsConfig>(
  args: readonly string[],
  options: Config,
): Parsed<Config> {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    // Node's first sentence names the argument; the rest is advice about positionals, which there are none of.
    const [message] = (cause as Error).message.split('. ', 1);
    throw new UsageError(message, { cause });
  }
}

/** Returns an option that must be there. */
export function required(value: string | undefined, name: string): string {
  if (value === undefined) throw new UsageError(`${name} is missing`);
  return value;
}

/** Returns the number that an option is, and throws a {@link UsageError} if it is none. */
export function numberArgument(value: string | undefined, name: string): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (value.trim() === '' || Number.isNaN(number))
    throw new UsageError(`${name} must be a number, but it is ${JSON.stringify(value)}`);
  return number;
}
