/** Counts the real timers that are set, until the returned function is called. */
export function withoutMachineTimers(): () => readonly string[] {
  const { setTimeout: timeout, setInterval: interval, setImmediate: immediate } = globalThis;
  let count = 0;
  const counting = <Set extends (...given: never[]) => unknown>(set: Set): Set =>
    ((...given: never[]) => {
      count += 1;
      return set(...given);
    }) as Set;
  Object.assign(globalThis, {
    setTimeout: counting(timeout),
    setInterval: counting(interval),
    setImmediate: counting(immediate),
  });
  return () => {
    Object.assign(globalThis, { setTimeout: timeout, setInterval: interval, setImmediate: immediate });
    return count === 0 ? [] : [`law 10: ${count} timers of the machine were set`];
  };
}
