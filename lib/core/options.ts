import { httpUrl } from './httpUrl.ts';

/** What a number option may be. */
export interface NumberRange {
  readonly min: number;
  readonly max?: number;
  /** @default false */
  readonly integer?: boolean;
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? `an array of ${value.length}` : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

/** The error for an option that cannot be used: it names the option, what was given, and what is allowed. */
export function invalidOption(name: string, value: unknown, allowed: string): TypeError {
  return new TypeError(`${name} must be ${allowed}, but it is ${show(value)}`);
}

/** The same for an option that is a secret: what was given is not shown. */
export function invalidSecret(name: string, allowed: string): TypeError {
  return new TypeError(`${name} must be ${allowed}`);
}

/** Returns the number if it lies in the range, and throws a TypeError that names the option if not. */
export function numberOption(name: string, value: unknown, range: NumberRange): number {
  const { min, max, integer = false } = range;
  const fits =
    typeof value === 'number' &&
    Number.isFinite(value) &&
    value >= min &&
    (max === undefined || value <= max) &&
    (!integer || Number.isInteger(value));
  if (!fits) {
    const kind = integer ? 'a whole number' : 'a number';
    throw invalidOption(
      name,
      value,
      max === undefined ? `${kind} of at least ${min}` : `${kind} from ${min} to ${max}`,
    );
  }
  return value;
}

/** Returns the value if it is one of those listed, and throws a TypeError that lists them if not. */
export function choiceOption<Choice extends string>(
  name: string,
  value: unknown,
  choices: readonly Choice[],
): Choice {
  const chosen = choices.find((choice) => choice === value);
  if (chosen === undefined) throw invalidOption(name, value, `one of ${choices.map(show).join(', ')}`);
  return chosen;
}

/**
 * Returns the URL if requests can be sent to it.
 *
 * @throws TypeError that names the option and shows the value, if no password or query can be in it.
 */
export function urlOption(name: string, value: unknown): URL {
  const allowed = 'an absolute http or https URL with a valid host name and without user name or password';
  const url = typeof value === 'string' ? httpUrl(value) : undefined;
  if (url !== undefined) return url;
  throw typeof value === 'string' && /[@?#]/.test(value)
    ? invalidSecret(name, allowed)
    : invalidOption(name, value, allowed);
}

/** Returns the options if they are an object, and throws a TypeError if not: callers without types forget them. */
export function objectOption<Options extends object>(name: string, value: Options): Options {
  const given: unknown = value;
  if (typeof given !== 'object' || given === null) throw invalidOption(name, given, 'an object');
  return value;
}
