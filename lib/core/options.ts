import { httpUrl, isClearText } from './httpUrl.ts';
import { excerpt } from './text.ts';

/** The range of a number option. */
export interface NumberRange {
  readonly min: number;
  readonly max?: number;
  /** @default false */
  readonly integer?: boolean;
}

/** Throws a TypeError that names the option if the value cannot be used. */
export type OptionCheck = (name: string, value: unknown) => unknown;

/** How an option of a type is checked: by its range, its list of values, a function, or (1) by its user. */
type OptionRule<Value> =
  | 1
  | OptionCheck
  | ([Value] extends [number] ? NumberRange : [Value] extends [string] ? readonly Value[] : never);

/** The rules of all options of a type: the compiler finds a name that is missing here. */
export type OptionRules<Options> = {
  readonly [Name in keyof Options]-?: OptionRule<NonNullable<Options[Name]>>;
};

/** The names of all options of a type, as keys: the compiler finds a name that is missing here. */
export type OptionNames<Options> = {
  readonly [Name in Options extends unknown ? keyof Options : never]: unknown;
};

/**
 * Returns the options if they are an object with known names only, and all values follow their rules.
 *
 * @param rules The names that are known, with their rules. @default any name is allowed
 * @param instead For names that callers may try, what to write instead. @default none
 * @throws TypeError that names the option, or suggests the known name that is closest to an unknown one.
 */
export function objectOption<Options extends object>(
  name: string,
  value: Options,
  rules?: OptionNames<Options>,
  instead: Readonly<Record<string, string>> = {},
): Options {
  const given: unknown = value;
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalidType(name, given, 'an object');
  if (rules === undefined) return value;
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(rules, key));
  if (unknown !== undefined) throw unknownName(name, unknown, Object.keys(rules), instead);
  const prefix = name === 'options' ? '' : `${name}.`;
  for (const [key, rule] of Object.entries<unknown>(rules)) {
    const one = value[key as keyof Options];
    if (one !== undefined) checkOption(`${prefix}${key}`, one, rule);
  }
  return value;
}

function checkOption(name: string, value: unknown, rule: unknown): void {
  if (typeof rule === 'function') (rule as OptionCheck)(name, value);
  else if (Array.isArray(rule)) choiceOption(name, value, rule as readonly string[]);
  else if (typeof rule === 'object') numberOption(name, value, rule as NumberRange);
}

function unknownName(
  name: string,
  unknown: string,
  known: readonly string[],
  instead: Readonly<Record<string, string>>,
): TypeError {
  if (Object.hasOwn(instead, unknown))
    return new TypeError(`unknown option ${unknown}: write ${instead[unknown]}`);
  const closest = closestName(unknown, known);
  return new TypeError(
    `unknown name ${shown(unknown)} in ${name}: ` +
      (closest === undefined ? `known are ${known.join(', ')}` : `did you mean ${closest}?`),
  );
}
/** The most characters of a value that are shown. */
const LONGEST = 60;

/**
 * Returns a value of an option as a message may show it: at most 60 characters, each of them printable.
 *
 * A text that can contain a query, a fragment or a password is shown by its length.
 */
function shown(value: unknown): string {
  if (typeof value === 'string')
    return canBeSecret(value)
      ? `a text of ${value.length} characters`
      : JSON.stringify(excerpt(value, LONGEST));
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? `an array of ${value.length}` : 'an object';
  return typeof value === 'function' ? 'a function' : excerpt(String(value), LONGEST);
}

/** Returns the type of a value in words: a value that can be a secret is never shown. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'an array';
  return `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
}

/** A `sip:` URI has a colon and an at sign, too, but no password if these are all. */
function canBeSecret(text: string): boolean {
  if (/[?#]/.test(text)) return true;
  return text.includes('@') && text.replace(/^sip:/i, '').includes(':');
}

/** Returns the error for an invalid option: its name, its value, and the allowed values. */
export function invalidOption(name: string, value: unknown, allowed: string): TypeError {
  return new TypeError(`${name} must be ${allowed}, but it is ${shown(value)}`);
}

/** Returns the error for an invalid option whose value can be a secret: only its type is shown. */
export function invalidType(name: string, value: unknown, allowed: string): TypeError {
  return new TypeError(`${name} must be ${allowed}, but it is ${typeName(value)}`);
}

/** Returns the error for an invalid option that is a secret: its value is not shown. */
export function invalidSecret(name: string, allowed: string): TypeError {
  return new TypeError(`${name} must be ${allowed}`);
}

/** Returns the check of an option that is a function. */
export function functionOption(allowed: string): OptionCheck {
  return (name, value) => {
    if (typeof value !== 'function') throw invalidOption(name, value, allowed);
  };
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
    const numberType = integer ? 'a whole number' : 'a number';
    throw invalidOption(
      name,
      value,
      max === undefined ? `${numberType} of at least ${min}` : `${numberType} from ${min} to ${max}`,
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
  if (chosen === undefined) throw invalidOption(name, value, `one of ${choices.map(shown).join(', ')}`);
  return chosen;
}

/**
 * Returns the URL if requests can be sent to it.
 *
 * @throws TypeError that names the option.
 */
export function urlOption(name: string, value: unknown): URL {
  const allowed = 'an absolute http or https URL with a valid host name and without user name or password';
  const url = typeof value === 'string' ? httpUrl(value) : undefined;
  if (url !== undefined) return url;
  throw invalidOption(name, value, allowed);
}

/**
 * Returns the URL if credentials can be sent to it: by https, to this machine, or because the caller allows
 * more.
 *
 * @throws TypeError that names the option.
 */
export function credentialUrlOption(
  name: string,
  value: unknown,
  allowInsecureHttp: boolean | undefined,
): URL {
  const url = urlOption(name, value);
  // Callers without types: nothing else than true switches it off.
  if (allowInsecureHttp === true || !isClearText(url)) return url;
  throw invalidOption(
    name,
    value,
    'https, or credentials cross the network in clear text (allowInsecureHttp)',
  );
}

/** How many characters of a given name are compared: all known names are shorter. */
const LONGEST_NAME = 40;

/**
 * Returns the known name that is closest to one that was given, or undefined if none is close.
 *
 * Upper and lower case are the same, and a known name that begins with the given one is close: a unit is
 * easily forgotten.
 */
export function closestName(given: string, known: readonly string[]): string | undefined {
  const one = given.slice(0, LONGEST_NAME).toLowerCase();
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
