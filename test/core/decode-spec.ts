import { expect } from 'chai';
import * as t from 'io-ts';
import { decode } from '../../lib/core/decode.ts';
import { DecodeError } from '../../lib/core/errors.ts';
import { expectHarmless } from '../support/errorTexts.ts';

const link = t.type({ rel: t.string, href: t.string });
const message = t.type({
  link,
  sender: t.array(t.intersection([link, t.partial({ kind: t.union([t.literal('a'), t.literal('b')]) })])),
});

function failure(codec: t.Decoder<unknown, unknown>, value: unknown): DecodeError {
  try {
    decode(codec, 'message')(value);
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
  throw new Error('it decoded');
}

describe('decode', () => {
  it('returns what the codec makes of the value', () => {
    const value = { link: { rel: 'a', href: '/a' }, sender: [] };
    expect(decode(message, 'message')(value)).to.deep.equal(value);
  });

  const cases: readonly [name: string, value: unknown, path: string, expected: RegExp, actual: string][] = [
    ['a missing property', { sender: [] }, '/link', /rel: string/, 'nothing'],
    ['a nested property', { link: { rel: 1, href: '' }, sender: [] }, '/link/rel', /^string$/, '1'],
    [
      'a property behind an array and an intersection',
      { link: { rel: '', href: '' }, sender: [{ rel: '', href: null }] },
      '/sender/0/href',
      /^string$/,
      'null',
    ],
    [
      'a branch of a union',
      { link: { rel: '', href: '' }, sender: [{ rel: '', href: '', kind: 'c' }] },
      '/sender/0/kind',
      /"a"|"b"/,
      '"c"',
    ],
    ['the root', 'text', '', /link/, 'a string of 4 characters'],
    ['an array in place of an object', { link: [1, 2], sender: [] }, '/link', /rel: string/, 'an array of 2'],
    [
      'an array in place of a string',
      { link: { rel: [1], href: '' }, sender: [] },
      '/link/rel',
      /string/,
      'an array of 1',
    ],
  ];
  for (const [name, value, path, expected, actual] of cases) {
    it(`has the path of the fault: ${name}`, () => {
      const error = failure(message, value);
      expect(error.path).to.equal(path);
      expect(error.expected).to.match(expected);
      expect(error.actual).to.equal(actual);
      expect(error.message).to.contain(path).and.contain(actual);
    });
  }

  it('has a JSON pointer to the fault in a recursive codec', () => {
    interface Tree {
      readonly name?: string;
      readonly parts?: readonly Tree[];
    }
    const tree: t.Type<Tree> = t.recursion('tree', () =>
      t.intersection([t.partial({ name: t.string }), t.partial({ parts: t.readonlyArray(tree) })]),
    );
    expect(failure(tree, { name: 1 }).path).to.equal('/name');
    expect(failure(tree, { parts: [{}, { parts: [{ name: 2 }] }] }).path).to.equal('/parts/1/parts/0/name');
    expect(failure(tree, { parts: [{}, 3] }).path).to.equal('/parts/1');
  });

  it('shows an object by the names of its properties only', () => {
    const error = failure(t.string, { user: 'sara', note: 'private' });
    expect(error.actual).to.equal('an object with user, note');
    expect(failure(t.string, {}).actual).to.equal('an object with no properties');
    expect(failure(t.string, () => 'hush').actual).to.equal('a function');
  });

  it('shortens what is long', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`property${index}`, index]));
    expect(failure(t.string, many).actual).to.have.length.below(100);
    expect(failure(t.number, 'x'.repeat(1000)).actual).to.equal('a string of 1000 characters');
  });

  it('names ten properties of an object at most', () => {
    const letters = Object.fromEntries(Array.from('abcdefghijkl', (letter) => [letter, 1]));
    expect(failure(t.string, letters).actual).to.equal('an object with a, b, c, d, e, f, g, h, i, j, …');
  });

  const long = `\u001b[2J\u202e${'x'.repeat(5_000_000)}`;
  const nested = t.record(t.string, t.record(t.string, t.number));
  const hostile: readonly (readonly [string, t.Decoder<unknown, unknown>, unknown])[] = [
    ['a property with a name without end', t.string, { [long]: 1 }],
    [
      'properties without end',
      t.string,
      Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [i, i])),
    ],
    ['names without end on the way', nested, { [long]: { [long]: long } }],
    ['a text without end', t.number, long],
    ['a short text that harms a terminal', t.number, '\u009b2J\u202e'],
    [
      'a codec that quotes the value',
      new t.Type<never>(
        long,
        (value): value is never => value === undefined,
        (value, context) => t.failure(value, context, String(value)),
        t.identity,
      ),
      long,
    ],
  ];
  for (const [name, codec, value] of hostile) {
    it(`has printable and short texts: ${name}`, () => {
      const error = failure(codec, value);
      expectHarmless(error);
      expect(error.message.length).to.be.below(800);
    });
  }

  it('never shows a value under the name of a secret', () => {
    const error = failure(t.type({ access_token: t.number }), { access_token: 'hush' });
    expect(error.message).not.to.contain('hush');
    expect(error.actual).to.equal('a string of 4 characters');
  });

  for (const value of ['hush', 12_345_678, true]) {
    it(`quotes no ${typeof value} of a secret or at the root`, () => {
      const [secret, root] = [failure(t.type({ token: link }), { token: value }), failure(link, value)];
      for (const { message: text, actual } of [secret, root]) {
        expect(text).not.to.contain(String(value));
        expect(actual).to.match(/^a (?:string of 4 characters|number|boolean)$/);
      }
    });
  }

  it('quotes a string only if it is a short word', () => {
    const actualOf = (value: string): string => failure(t.type({ a: t.number }), { a: value }).actual;
    expect(actualOf('added')).to.equal('"added"');
    expect(actualOf('/e?ack=1&k=hush')).to.equal('a string of 15 characters');
    expect(actualOf('x'.repeat(41))).to.equal('a string of 41 characters');
    expect(actualOf('')).to.equal('a string of 0 characters');
  });

  it('takes the message of a codec that has one', () => {
    const even = new t.Type<number, number>(
      'even',
      t.number.is,
      (value, context) =>
        typeof value === 'number' && value % 2 === 0
          ? t.success(value)
          : t.failure(value, context, 'an even number'),
      t.identity,
    );
    expect(failure(even, 3).expected).to.equal('an even number');
  });

  it('does not fail on a codec that fails without errors', () => {
    const mute: t.Decoder<unknown, never> = {
      name: 'mute',
      validate: () => t.failures([]),
      decode: () => t.failures([]),
    };
    expect(failure(mute, 3)).to.include({ path: '', expected: 'mute', actual: 'a number' });
  });
});
