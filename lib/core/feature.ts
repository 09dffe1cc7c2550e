import { invalidType } from './options.ts';

/**
 * The values of one optional feature, such as what `checkpointed` returns.
 *
 * Such a value carries the functions of its feature, so that only programs that import it bundle them.
 */
export interface Feature<Functions> {
  /** Returns an object of these properties that carries the functions. They are hidden when it is printed. */
  readonly create: <Properties extends object>(properties: Properties, functions: Functions) => Properties;
  /**
   * Returns the functions that the value of an option carries.
   *
   * @throws TypeError that names the option and says what to write.
   */
  readonly read: (option: string, value: unknown) => Functions;
  /** Returns whether a value carries functions of this feature. */
  readonly isIn: (value: unknown) => boolean;
}

/**
 * Describes an optional feature.
 *
 * @param example The code that enables it, such as `batching() from 'rxchange/ucwa'`.
 */
export function feature<Functions>(example: string): Feature<Functions> {
  const key = Symbol(example);
  type Carrier = { readonly [Key in typeof key]?: Functions };
  const functionsOf = (value: unknown): Functions | undefined => (Object(value) as Carrier)[key];
  return {
    // Not enumerable: it would appear in every log.
    create: (properties, functions) =>
      Object.freeze(Object.defineProperty({ ...properties }, key, { value: functions })),
    isIn: (value) => functionsOf(value) !== undefined,
    read: (option, value) => {
      const functions = functionsOf(value);
      if (functions !== undefined) return functions;
      throw invalidType(option, value, example);
    },
  };
}
