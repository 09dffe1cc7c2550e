import { SchemaViolation } from './ewsElements.ts';

const INT = /^[+-]?\d+$/;
const TRUTH: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);

/** Returns the whole minutes that a text says, from 1 to `max`; it throws a {@link SchemaViolation}. */
export function readMinutes(name: string, text: string, max: number): number {
  const digits = text.trim();
  const minutes = INT.test(digits) ? Number(digits) : Number.NaN;
  if (minutes >= 1 && minutes <= max) return minutes;
  throw new SchemaViolation(`${name} is not a whole number from 1 to ${max}`);
}

/** Returns the truth that an attribute says; without one, false. It throws a {@link SchemaViolation}. */
export function readBoolean(name: string, text: string = 'false'): boolean {
  const truth = TRUTH.get(text.trim());
  if (truth === undefined) throw new SchemaViolation(`${name} is not true, false, 1 or 0`);
  return truth;
}
