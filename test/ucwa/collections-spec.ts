import { expect } from 'chai';
import * as t from 'io-ts';
import { type Codec, listCodec, recordCodec } from '../../lib/ucwa/collections.ts';

const even: Codec<number> = new t.Type(
  'even',
  (value): value is number => typeof value === 'number' && value % 2 === 0,
  (value, context) =>
    typeof value === 'number' ? t.success(value % 2 === 0 ? value : value + 1) : t.failure(value, context),
  t.identity,
);

const decoded = (codec: t.Decoder<unknown, unknown>, value: unknown): unknown => {
  const result = codec.decode(value);
  return result._tag === 'Right'
    ? result.right
    : result.left.map(({ context }) => context.map(({ key }) => key).join('/'));
};

/** A codec of a kind, how its values are made, and one of the other kind. */
interface Kind {
  readonly name: string;
  readonly codec: t.Decoder<unknown, unknown> & { readonly is: (value: unknown) => boolean };
  readonly of: (...values: unknown[]) => unknown;
  readonly other: unknown;
}

const kinds: readonly Kind[] = [
  { name: 'listCodec', codec: listCodec(even), of: (...values) => values, other: { 0: 2 } },
  {
    ...{ name: 'recordCodec', codec: recordCodec(even), other: [2] },
    of: (...values) => Object.fromEntries(values.entries()),
  },
];
for (const { name, codec, of, other } of kinds) {
  describe(name, () => {
    it('returns a value that is right as it is', () => {
      const value = of(2, 4);
      expect(decoded(codec, value)).to.equal(value);
      expect(codec.is(value)).to.equal(true);
    });

    it('returns a copy with what its codec changes', () => {
      const value = of(1, 2, 3);
      expect(decoded(codec, value)).to.deep.equal(of(2, 2, 4));
      expect(value).to.deep.equal(of(1, 2, 3));
      expect(codec.is(value)).to.equal(false);
    });

    it('reports only the first of many wrong values, with its place', () => {
      expect(decoded(codec, of(2, ...Array<string>(1000).fill('x')))).to.deep.equal(['/1']);
    });

    it('reports a value of another kind', () => {
      for (const value of [undefined, null, 'x', 7, other]) {
        expect(decoded(codec, value)).to.deep.equal(['']);
        expect(codec.is(value)).to.equal(false);
      }
    });
  });
}
