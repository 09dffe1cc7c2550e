import { appendContext, type Decoder, failure, identity, success, Type, type Validate } from 'io-ts';
import { noteDropped } from './decode.ts';

// The only file that imports values of io-ts: the build bundles them into it, without the unused ones.
export {
  array,
  failure,
  intersection,
  number,
  partial,
  refinement,
  success,
  type,
  union,
  unknown,
} from 'io-ts';

/** A codec that decodes unknown input. */
export type Codec<Value> = Type<Value, unknown>;

/** Codecs of members by name. */
type Members<Value> = { readonly [Name in keyof Value]?: Decoder<unknown, Value[Name] | undefined> };

/** The members of an object that a codec knows. */
interface ObjectMembers<Value> {
  /** Members that must be there and valid. */
  readonly required?: Members<Value>;
  /** Members that are dropped if they are null or ill-typed. */
  readonly optional?: Members<Value>;
  /** The codec of all other members, which are optional. @default they are not checked */
  readonly others?: Decoder<unknown, Value[keyof Value]>;
}

/**
 * Returns a codec.
 *
 * @param is Returns whether `validate` returns a value unchanged. @default calls it
 */
export function codecOf<Value>(
  name: string,
  validate: Validate<unknown, Value>,
  is = (value: unknown): value is Value => {
    const result = validate(value, []);
    return result._tag === 'Right' && result.right === value;
  },
): Codec<Value> {
  return new Type(name, is, validate, identity);
}

/** Decodes a string. That of io-ts is an instance of a subclass, for which bundles would need two helpers. */
export const string: Codec<string> = /* @__PURE__ */ codecOf('string', (value, context) =>
  typeof value === 'string' ? success(value) : failure(value, context),
);

/** Whether a value is an object, and no array. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns a codec of objects that drops optional members that are null or ill-typed, and counts them. */
export function objectCodec<Value extends object>(
  name: string,
  { required = {}, optional = {}, others }: ObjectMembers<NoInfer<Value>>,
): Codec<Value> {
  const known = { ...optional, ...required } as Readonly<Record<string, Decoder<unknown, unknown>>>;
  return codecOf(name, (value, context) => {
    if (!isRecord(value)) return failure(value, context);
    const changed = new Map<string, unknown>();
    for (const key of Object.keys(others === undefined ? known : { ...known, ...value })) {
      const codec = (Object.hasOwn(known, key) ? known[key] : others) as Decoder<unknown, unknown>;
      const isRequired = Object.hasOwn(required, key);
      const one = value[key];
      if (one === undefined && !isRequired) continue;
      const result = codec.validate(one, appendContext(context, key, codec, one));
      if (result._tag === 'Right') {
        if (result.right !== one) changed.set(key, result.right);
      } else if (isRequired) return result;
      else {
        noteDropped(context);
        changed.set(key, undefined);
      }
    }
    if (changed.size === 0) return success(value as Value);
    const members = Object.entries({ ...value, ...Object.fromEntries(changed) });
    return success(Object.fromEntries(members.filter(([, one]) => one !== undefined)) as Value);
  });
}

/**
 * Returns a codec of lists that drops elements that are null or ill-typed, and counts them.
 *
 * @param isNeeded Returns whether an ill-typed element is an error instead. Only the first is reported: io-ts
 * reports each with a copy of its path, and a million of these exhaust the memory.
 */
export function listCodec<Value>(
  item: Codec<Value>,
  isNeeded: (element: unknown) => boolean = () => false,
): Codec<readonly Value[]> {
  return codecOf(`list of ${item.name}`, (value, context) => {
    if (!Array.isArray(value)) return failure(value, context);
    const list: readonly unknown[] = value;
    const decoded: Value[] = [];
    for (const [index, one] of list.entries()) {
      const result = item.validate(one, appendContext(context, String(index), item, one));
      if (result._tag === 'Right') decoded.push(result.right);
      else if (isNeeded(one)) return result;
      else noteDropped(context);
    }
    const isSame = decoded.length === list.length && decoded.every((one, index) => one === list[index]);
    return success(isSame ? (list as readonly Value[]) : decoded);
  });
}
