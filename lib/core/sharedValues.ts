/** Returns the value that a function has created for an owner; the first call creates it. */
export type SharedValues = <Argument, Value>(
  create: (argument: Argument) => Value,
  argument: Argument,
) => Value;

/** Creates the values of one owner: one for each function. So only programs that need a value bundle it. */
export function sharedValues(): SharedValues {
  const values = new Map<unknown, unknown>();
  return <Argument, Value>(create: (argument: Argument) => Value, argument: Argument) => {
    if (!values.has(create)) values.set(create, create(argument));
    return values.get(create) as Value;
  };
}
