import * as t from 'io-ts';

/** A codec that takes anything and makes sure. */
export type Codec<Value> = t.Type<Value, unknown>;

/**
 * Returns a codec of lists that reports only the first wrong element.
 *
 * The one of io-ts reports each of them, with a copy of the way to it: a million of these exhaust the memory.
 */
export function listCodec<Value>(item: Codec<Value>): Codec<readonly Value[]> {
  return new t.Type(
    `list of ${item.name}`,
    (value): value is readonly Value[] => Array.isArray(value) && value.every(item.is),
    (value, context) => {
      if (!Array.isArray(value)) return t.failure(value, context);
      const list: readonly unknown[] = value;
      const decoded: Value[] = [];
      for (const [index, one] of list.entries()) {
        const result = item.validate(one, t.appendContext(context, String(index), item, one));
        if (result._tag === 'Left') return result;
        decoded.push(result.right);
      }
      // An intersection merges what is not the value itself.
      return t.success(decoded.every((one, index) => one === list[index]) ? value : decoded);
    },
    t.identity,
  );
}

/** Returns a codec of objects with any names that reports only the first wrong value. */
export function recordCodec<Value>(codec: Codec<Value>): Codec<Readonly<Record<string, Value>>> {
  return new t.Type(
    `object of ${codec.name}`,
    (value): value is Readonly<Record<string, Value>> =>
      t.UnknownRecord.is(value) && Object.values(value).every(codec.is),
    (value, context) => {
      if (!t.UnknownRecord.is(value)) return t.failure(value, context);
      const decoded: [string, Value][] = [];
      for (const name of Object.keys(value)) {
        const one = value[name];
        const result = codec.validate(one, t.appendContext(context, name, codec, one));
        if (result._tag === 'Left') return result;
        decoded.push([name, result.right]);
      }
      const isSame = decoded.every(([name, one]) => one === value[name]);
      return t.success((isSame ? value : Object.fromEntries(decoded)) as Readonly<Record<string, Value>>);
    },
    t.identity,
  );
}
