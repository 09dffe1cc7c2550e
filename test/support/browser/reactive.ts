/**
 * Returns a deep Proxy like Vue's `reactive`.
 *
 * Objects, arrays and class instances are wrapped once when they are read. Functions are not wrapped, and are
 * called with the Proxy as `this`.
 */
export function reactive<Value extends object>(value: Value): Value {
  const proxies = new WeakMap<object, object>();
  const wrapped = <One extends object>(target: One): One => {
    const known = proxies.get(target);
    if (known !== undefined) return known as One;
    const proxy = new Proxy(target, {
      get: (from, key, receiver) => {
        const found: unknown = Reflect.get(from, key, receiver);
        return isPlain(found) ? wrapped(found) : found;
      },
    });
    proxies.set(target, proxy);
    return proxy;
  };
  return wrapped(value);
}

/** Excludes Maps, Sets and Dates, for which Vue has other handlers. */
function isPlain(value: unknown): value is object {
  const isOther = value instanceof Map || value instanceof Set || value instanceof Date;
  return typeof value === 'object' && value !== null && !isOther;
}
