/**
 * The part of saxes that the library uses, for XML that the simulators and the library write: it is always
 * well-formed. The build of the page replaces saxes by it, which is a third as large as the simulators.
 */
export class SaxesParser {
  /** How many characters were read up to the end of the current tag. */
  position = 0;
  readonly #handlers = new Map<string, (value: never) => void>();
  /** The namespaces by prefix of each open element. */
  readonly #open: Readonly<Record<string, string>>[] = [];
  readonly #hasNamespaces: boolean;
  #rest = '';
  #isOver = false;

  constructor({ xmlns = false }: { readonly xmlns?: boolean } = {}) {
    this.#hasNamespaces = xmlns;
  }

  on(event: string, handler: (value: never) => void): void {
    this.#handlers.set(event, handler);
  }

  write(chunk: string): this {
    const xml = this.#rest + chunk;
    const start = this.position;
    let at = 0;
    while (!this.#isOver) {
      TAG.lastIndex = at;
      const found = TAG.exec(xml);
      if (found === null) break;
      const [all, text = '', tag = ''] = found;
      at += all.length;
      this.position = start + at;
      if (text !== '' && this.#open.length > 0) this.#emit('text', unescaped(text));
      this.#read(tag);
    }
    this.#rest = this.#isOver ? '' : xml.slice(at);
    return this;
  }

  close(): this {
    return this;
  }

  #read(tag: string): void {
    if (tag.startsWith('?') || tag.startsWith('!')) return;
    if (!tag.startsWith('/')) {
      const [name = ''] = /^[^\s/]+/.exec(tag) ?? [];
      const attributes = Object.fromEntries(
        [...tag.matchAll(/([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, key = '', one, other]) => [
          key,
          unescaped(one ?? other ?? ''),
        ]),
      );
      const declared = Object.entries(attributes).filter(([key]) => key.startsWith('xmlns'));
      this.#open.push({ ...this.#open.at(-1), ...Object.fromEntries(declared) });
      this.#emit('opentag', this.#hasNamespaces ? this.#qualified(name, attributes) : { name, attributes });
      if (!tag.endsWith('/')) return;
    }
    this.#open.pop();
    this.#isOver = this.#open.length === 0;
    this.#emit('closetag', undefined);
  }

  #qualified(name: string, attributes: Readonly<Record<string, string>>): object {
    const [local = '', prefix] = name.split(':').reverse();
    const uri = this.#open.at(-1)?.[prefix === undefined ? 'xmlns' : `xmlns:${prefix}`] ?? '';
    const values = Object.entries(attributes).map(([key, value]) => [key, { value }]);
    return { name, local, uri, attributes: Object.fromEntries(values) as object };
  }

  #emit(event: string, value: unknown): void {
    this.#handlers.get(event)?.(value as never);
  }
}

/** Text, and the tag after it. */
const TAG = /([^<]*)<((?:[^>"']|"[^"]*"|'[^']*')*)>/y;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi,
    (all, hex?: string, decimal?: string, name?: string) => {
      if (hex !== undefined) return String.fromCodePoint(parseInt(hex, 16));
      return decimal === undefined ? (ENTITIES[name ?? ''] ?? all) : String.fromCodePoint(Number(decimal));
    },
  );
}
