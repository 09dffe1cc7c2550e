import { Session } from 'node:inspector';
import { countedRegExp } from './countedRegExp.ts';

/** Returns the number of characters or elements that a call reads, moves or creates. */
type Cost = (self: unknown, args: readonly unknown[], result: unknown) => number;

/** The files of the counter itself. */
const NOT_COUNTED = ['/countedWork.ts', '/countedRegExp.ts', '/regExpProgram.ts', '/regexpp/'];

/**
 * Returns a function that counts the work of a call, with the same result on every machine.
 *
 * Work is the number of JavaScript blocks run, of characters and elements that built-in functions read, and
 * of steps of regular expressions. Flattening a concatenated string is not counted.
 *
 * It replaces built-in functions and uses the coverage, so call it in a separate process with `--no-opt`:
 * inlined functions are not counted.
 */
export function workCounter(): (work: () => unknown) => number {
  let builtIn = 0;

  const count = (owner: object, name: string | symbol, cost: Cost): void => {
    const original: unknown = Reflect.get(owner, name);
    if (typeof original !== 'function') throw new Error(`${String(name)} does not exist`);
    const counted = function (this: unknown, ...args: unknown[]): unknown {
      const result: unknown = Reflect.apply(original, this, args);
      builtIn += cost(this, args, result);
      return result;
    };
    Object.defineProperty(owner, name, { value: counted, writable: true, configurable: true });
  };
  const countAll = (owner: object, names: readonly (string | symbol)[], cost: Cost): void =>
    names.forEach((name) => count(owner, name, cost));

  countAll(String.prototype, ['toLowerCase', 'toUpperCase', 'normalize'], whole);
  // The steps of a pattern are counted separately.
  countAll(String.prototype, ['replace', 'replaceAll', 'split'], (self, [pattern]) =>
    typeof pattern === 'string' ? sizeOf(self) : 1,
  );
  countAll(
    String.prototype,
    ['trim', 'trimStart', 'trimEnd'],
    (self, _, result) => 1 + sizeOf(self) - sizeOf(result),
  );
  countAll(String.prototype, ['startsWith', 'endsWith'], (_, [searched]) => sizeOf(searched));
  countAll(String.prototype, ['repeat', 'padStart', 'padEnd', 'concat'], made);
  const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
  for (const owner of [String.prototype, Array.prototype, typedArray]) {
    countAll(owner, ['indexOf', 'includes'], (self, [, from = 0], result) =>
      typeof result === 'number' && result >= 0 ? 1 + result - Number(from) : 1 + sizeOf(self) - Number(from),
    );
    count(owner, 'lastIndexOf', whole);
  }
  countAll(Array.prototype, ['slice', 'splice', 'concat', 'join'], made);
  countAll(Array.prototype, ['shift', 'unshift', 'splice', 'reverse', 'sort', 'fill'], whole);
  count(typedArray, 'slice', made);
  count(typedArray, 'set', (_, [from]) => sizeOf(from));
  for (const collection of [[], new Map(), new Set()]) {
    count(Object.getPrototypeOf(collection[Symbol.iterator]()) as object, 'next', () => 1);
  }
  countAll(
    Object,
    ['keys', 'values', 'entries', 'fromEntries'],
    (_, [from], result) => sizeOf(from) + sizeOf(result),
  );
  countAll(JSON, ['parse', 'stringify'], (_, [from], result) => sizeOf(from) + sizeOf(result));
  countAll(Date, ['parse'], argument);
  countAll(URL, ['canParse'], argument);
  countAll(globalThis, ['encodeURIComponent', 'decodeURIComponent', 'btoa', 'atob'], argument);
  count(TextEncoder.prototype, 'encode', argument);
  count(TextDecoder.prototype, 'decode', argument);
  globalThis.URL = class extends URL {
    constructor(url: string | URL, base?: string | URL) {
      builtIn += sizeOf(url);
      super(url, base);
    }
  };

  const known = new Map<string, ReturnType<typeof countedRegExp>>();
  let isMatching = false;
  type Exec = (this: RegExp, text: string) => RegExpExecArray | null;
  const exec = Object.getOwnPropertyDescriptor(RegExp.prototype, 'exec')?.value as Exec;
  RegExp.prototype.exec = function (text) {
    if (!isMatching) {
      const before = builtIn;
      // The matcher itself uses patterns, which must not be counted.
      isMatching = true;
      const counted = known.get(String(this)) ?? countedRegExp(this);
      known.set(String(this), counted);
      const from = this.global || this.sticky ? this.lastIndex : 0;
      const { steps } = counted.exec(text, from, this.sticky);
      isMatching = false;
      builtIn = before + steps;
    }
    return exec.call(this, text);
  };

  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const blocks = (): number => {
    let sum = 0;
    session.post('Profiler.takePreciseCoverage', (_, { result }) => {
      // Without iterators, which are counted.
      result.forEach(({ url, functions }) => {
        if (!url.startsWith('file:') || NOT_COUNTED.some((part) => url.includes(part))) return;
        functions.forEach(({ ranges }) => ranges.forEach(({ count: times }) => (sum += times)));
      });
    });
    return sum;
  };

  return (work) => {
    blocks();
    builtIn = 0;
    work();
    const characters = builtIn;
    return characters + blocks();
  };
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  return 1;
}

function whole(self: unknown): number {
  return sizeOf(self);
}

function made(_: unknown, __: readonly unknown[], result: unknown): number {
  return sizeOf(result);
}

function argument(_: unknown, [first]: readonly unknown[]): number {
  return sizeOf(first);
}
