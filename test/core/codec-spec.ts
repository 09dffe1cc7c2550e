import { expect } from 'chai';
import * as t from 'io-ts';
import { decode, decodeNoting } from '../../lib/core/decode.ts';
import type { DecodeError } from '../../lib/core/errors.ts';
import { type Codec, listCodec, objectCodec } from '../../lib/core/codec.ts';

const even: Codec<number> = new t.Type(
  'even',
  (value): value is number => typeof value === 'number' && value % 2 === 0,
  (value, context) =>
    typeof value === 'number' ? t.success(value % 2 === 0 ? value : value + 1) : t.failure(value, context),
  t.identity,
);

const dropped = (codec: t.Decoder<unknown, unknown>, value: unknown): [value: unknown, members: number] => {
  let members = 0;
  const read = decodeNoting(codec, 'value', value, (count) => (members += count));
  return [read, members];
};
const pathOf = (codec: t.Decoder<unknown, unknown>, value: unknown): string | undefined => {
  try {
    decode(codec, 'value')(value);
  } catch (error) {
    return (error as DecodeError).path;
  }
  return undefined;
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
    ...{ name: 'objectCodec', codec: objectCodec<Record<string, number>>('object', { others: even }) },
    of: (...values) => Object.fromEntries(values.map((value, index) => [`m${index}`, value])),
    other: [2],
  },
];
for (const { name, codec, of, other } of kinds) {
  describe(name, () => {
    it('returns a value that is right as it is', () => {
      const value = of(2, 4);
      expect(dropped(codec, value)[0]).to.equal(value);
      expect(codec.is(value)).to.equal(true);
    });

    it('returns a copy with what its codec changes', () => {
      const value = of(1, 2, 3);
      expect(dropped(codec, value)).to.deep.equal([of(2, 2, 4), 0]);
      expect(value).to.deep.equal(of(1, 2, 3));
      expect(codec.is(value)).to.equal(false);
    });

    it('drops and counts values that are null or ill-typed', () => {
      const [read, members] = dropped(codec, of(2, 4, null, 'x'));
      expect(read).to.deep.equal(of(2, 4));
      expect(members).to.equal(2);
      expect(codec.is(of(2, null))).to.equal(false);
    });

    it('reports a value of another type', () => {
      for (const value of [undefined, null, 'x', 7, other]) {
        expect(pathOf(codec, value)).to.equal('');
        expect(codec.is(value)).to.equal(false);
      }
    });
  });
}

describe('listCodec with elements that are needed', () => {
  const codec = listCodec(even, (element) => typeof element === 'string');

  it('reports only the first of a thousand wrong elements, with its path', () => {
    const result = codec.decode([2, null, ...Array<string>(1000).fill('x')]);
    expect(result._tag === 'Left' && result.left.length).to.equal(1);
    expect(pathOf(codec, [2, null, 'x'])).to.equal('/2');
  });

  it('drops and counts the others', () => {
    expect(dropped(codec, [2, null, 4])).to.deep.equal([[2, 4], 1]);
  });
});

describe('objectCodec with members', () => {
  interface Named {
    readonly name: string;
    readonly size?: number;
  }
  const codec = objectCodec<Named>('named', { required: { name: t.string }, optional: { size: even } });

  it('reports a required member that is missing, null or ill-typed', () => {
    for (const value of [{}, { name: null }, { name: 7 }]) expect(pathOf(codec, value)).to.equal('/name');
  });

  it('drops an optional member that is null or ill-typed, and counts it', () => {
    for (const size of [null, 'x', {}]) {
      expect(dropped(codec, { name: 'a', size })).to.deep.equal([{ name: 'a' }, 1]);
    }
  });

  it('keeps unknown members unchanged', () => {
    const value = { name: 'a', other: null };
    expect(dropped(codec, value)).to.deep.equal([value, 0]);
    expect(dropped(codec, { ...value, size: null })).to.deep.equal([value, 1]);
  });
});
