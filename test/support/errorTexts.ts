import { expect } from 'chai';
import { UNPRINTABLE } from '../../lib/core/text.ts';

/** The longest message of an error, or other text in it, in characters. */
export const LONGEST_MESSAGE = 2000;
/** The largest total length of the texts of an error and its causes. */
const MAX_CHARACTERS = 40_000;

/** A text in an error, with its path, such as `.cause.message`. */
export interface ErrorText {
  readonly path: string;
  readonly text: string;
}

/** Returns every text in the properties of an error, recursively, including its causes. */
export function textsIn(value: unknown, path: string = '', seen: Set<unknown> = new Set()): ErrorText[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (typeof value !== 'object' || value === null || seen.has(value)) return [];
  seen.add(value);
  if (value instanceof Map || value instanceof Set || Array.isArray(value)) {
    return [...value].flatMap((one: unknown, index) => textsIn(one, `${path}[${index}]`, seen));
  }
  return Reflect.ownKeys(value).flatMap((key) => [
    { path: `${path} key`, text: String(key) },
    ...textsIn(Reflect.get(value, key) as unknown, `${path}.${String(key)}`, seen),
  ]);
}

/** Expects every text in an error to be printable and of limited length, except for stack frames. */
export function expectHarmless(error: unknown): void {
  expect(error).to.be.instanceOf(Error);
  const texts = textsIn(error).map(({ path, text }) => ({
    path,
    text: path.endsWith('.stack') ? text.replace(/\n {4}at .*/g, '') : text,
  }));
  for (const { path, text } of texts) {
    expect(text, path).to.have.length.of.at.most(LONGEST_MESSAGE);
    expect(text.replace(UNPRINTABLE, ''), path).to.equal(text);
  }
  expect(texts.reduce((sum, { text }) => sum + text.length, 0)).to.be.below(MAX_CHARACTERS);
}
