import { SaxesParser } from 'saxes';
import { DecodeError } from '../../core/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../core/limits.ts';
import { type Attributes, type ElementHandler, SchemaViolation } from './schema.ts';
import { detachString } from './eventSchema.ts';

/** An element at its path in a document, with its handlers. */
export interface ElementNode<Builder> {
  /** As written, with its prefix. */
  readonly name: string;
  readonly localName: string;
  readonly parent: ElementNode<Builder> | undefined;
  readonly depth: number;
  readonly handlers: ReadonlyMap<string, ElementHandler<Builder>> | undefined;
  readonly otherwise: ElementHandler<Builder> | undefined;
  readonly open: ElementHandler<Builder>['open'];
  readonly close: ElementHandler<Builder>['close'];
  /** Its child elements that were read before, by name. */
  readonly children: Map<string, ElementNode<Builder>>;
  /**
   * The element that followed it the last time: comparing a name takes half the time of a lookup (ews-parse).
   */
  next: ElementNode<Builder> | undefined;
}

/** The elements of documents of the same schema, which are found again by their paths. */
export interface ElementCache<Builder> {
  /** The parent of the document element. */
  readonly root: ElementNode<Builder>;
  /** Returns the child of an element, which follows `before` in the document. */
  open(parent: ElementNode<Builder>, before: ElementNode<Builder>, name: string): ElementNode<Builder>;
}

const SKIP = {};
/** An unlimited number of names must not fill the memory. */
const MAX_ELEMENTS = 256;

/** Creates a cache of the elements of documents. */
export function elementCache<Builder>(document: ElementHandler<Builder>): ElementCache<Builder> {
  const root = createNode<Builder>('', '', undefined, document);
  let size = 0;

  const lookUp = (
    parent: ElementNode<Builder>,
    before: ElementNode<Builder>,
    name: string,
  ): ElementNode<Builder> => {
    const cached = parent.children.get(name);
    if (cached !== undefined) {
      before.next = cached;
      return cached;
    }
    const detached = detachString(name);
    const localName = detached.slice(detached.indexOf(':') + 1);
    const handler: ElementHandler<Builder> = parent.handlers?.get(localName) ?? parent.otherwise ?? SKIP;
    const node = createNode(detached, localName, parent, handler);
    if (size < MAX_ELEMENTS) {
      size += 1;
      parent.children.set(detached, node);
    }
    return node;
  };

  return {
    root,
    open: (parent, before, name) => {
      const { next } = before;
      return next !== undefined && next.parent === parent && next.name === name
        ? next
        : lookUp(parent, before, name);
    },
  };
}

/** All nodes have the same shape, which makes access to them fast (ews-parse). */
function createNode<Builder>(
  name: string,
  localName: string,
  parent: ElementNode<Builder> | undefined,
  handler: ElementHandler<Builder>,
): ElementNode<Builder> {
  return {
    name,
    localName,
    parent,
    depth: parent === undefined ? 0 : parent.depth + 1,
    handlers: handler.children,
    otherwise: handler.otherwise,
    open: handler.open,
    close: handler.close,
    children: new Map(),
    next: undefined,
  };
}

/** Returns the path of an element, in local names. */
export function pathOf<Builder>(node: ElementNode<Builder>): string {
  return node.parent === undefined ? '' : `${pathOf(node.parent)}/${node.localName}`;
}

/** Options of {@link documentReader}. */
export interface DocumentReaderOptions<Builder> extends Pick<Limits, 'depth' | 'messageCharacters'> {
  /** The name of the document in errors. */
  readonly subject: string;
  /** The schema of the document. */
  readonly schema: ElementHandler<Builder>;
  /** Creates the builder of a document. */
  readonly newBuilder: () => Builder;
  /**
   * Called with each complete document, in order, and never while the parser runs. Returns whether to
   * continue; otherwise everything that follows is ignored.
   */
  readonly take: (document: Builder) => boolean;
  /** Called with an incomplete document every 4,096 characters, and never while the parser runs. */
  readonly onPiece?: ((incomplete: Builder) => void) | undefined;
}

/** Parses the text of XML documents that follow one another. */
export interface DocumentReader {
  /** Reads the next chunk, cut at any character. After it has thrown, only `restart` may be called. */
  read(xml: string): void;
  /** Drops the current document and starts the next one; it may be used after an error. */
  restart(): void;
  /** Ends the text. It throws a {@link DecodeError} in the middle of a document. */
  end(): void;
}

const SAXES_OPTIONS = { xmlns: false, position: false } as const;
type Saxes = SaxesParser<typeof SAXES_OPTIONS>;
/** The number of attributes of an element: saxes collects all of them before it emits the element. */
const MAX_ATTRIBUTES = 100;
/** How many characters are parsed before `onPiece` is called: about ten events (ews-first). */
const PIECE_CHARACTERS = 4096;

/**
 * Creates a parser of XML documents that follow one another, each with or without an XML declaration.
 *
 * A document is built by the handlers of its schema. Prefixes are ignored. Document type declarations, and
 * entities other than those of XML, are errors.
 */
export function documentReader<Builder>(options: DocumentReaderOptions<Builder>): DocumentReader {
  const { subject, schema, newBuilder, take, onPiece } = options;
  const { depth = DEFAULT_LIMITS.depth, messageCharacters = DEFAULT_LIMITS.messageCharacters } = options;
  const elements = elementCache(schema);
  /** The innermost open element, and the one that was opened last. */
  let current: ElementNode<Builder> = elements.root;
  let last: ElementNode<Builder> = elements.root;
  let text = '';
  /** The attributes read so far of the current tag. */
  let attributes = 0;
  let builder = newBuilder();
  let saxes: Saxes | undefined;
  let written = 0;
  /** The position at which the document ended, if it has. */
  let end: number | undefined;
  /** The position at which the last comment or instruction before the document ended; 0 if there is none. */
  let prologEnd = 0;
  /** Whether there were only comments and instructions since the last document. */
  let isBetween = false;
  let isOver = false;

  const problem = (expected: string, actual: string, cause?: unknown): DecodeError =>
    new DecodeError(
      subject,
      { path: pathOf(current), expected, actual },
      cause === undefined ? {} : { cause },
    );

  const onOpen = (tag: { readonly name: string; readonly attributes: Attributes }): void => {
    attributes = 0;
    if (current.depth === depth) throw problem(`at most ${depth} elements in one another`, 'one more');
    current = last = elements.open(current, last, tag.name);
    text = '';
    current.open?.(builder, tag.attributes, current.localName);
  };

  const onInstruction = (): void => {
    if (last === elements.root) prologEnd = saxes?.position ?? 0;
  };

  const onComment = (): void => {
    onInstruction();
    // saxes calls it before the last character of the comment.
    prologEnd += 1;
  };

  const onAttribute = (): void => {
    attributes += 1;
    if (attributes > MAX_ATTRIBUTES) throw problem(`at most ${MAX_ATTRIBUTES} attributes`, 'more');
  };

  const onText = (part: string): void => {
    text += part;
  };

  const onClose = (): void => {
    const { close, parent = current } = current;
    close?.(builder, text.trim());
    current = parent;
    if (current === elements.root) end = saxes?.position;
  };

  const onDoctype = (): void => {
    throw problem('no document type declaration', 'one: a proxy or login page in between?');
  };

  const begin = (): Saxes => {
    const parser = new SaxesParser(SAXES_OPTIONS);
    parser.on('opentag', onOpen);
    parser.on('attribute', onAttribute);
    parser.on('text', onText);
    parser.on('cdata', onText);
    parser.on('closetag', onClose);
    parser.on('doctype', onDoctype);
    // Not by `on`: its eighth handler makes V8 turn the parser into a dictionary, four times as slow.
    parser['commentHandler'] = onComment;
    parser['piHandler'] = onInstruction;
    return parser;
  };

  /** Returns whether saxes has failed after the end of the document: then the next document has the error. */
  const isAfterEnd = (parser: Saxes): boolean => end !== undefined && parser.position > end;

  /** Feeds saxes; returns how many characters belong to the document, if it has ended. */
  const feed = (parser: Saxes, xml: string): number | undefined => {
    const offset = written;
    written += xml.length;
    try {
      parser.write(xml);
    } catch (error) {
      if (error instanceof SchemaViolation) throw problem(error.expected, error.actual, error);
      if (error instanceof DecodeError) throw error;
      if (!isAfterEnd(parser)) {
        throw problem('well-formed XML', error instanceof Error ? error.message : 'something else', error);
      }
    }
    if ((end ?? written) > messageCharacters)
      throw problem(`at most ${messageCharacters} characters`, 'more');
    if (last === elements.root) {
      const isBlank = xml.slice(Math.max(prologEnd - offset, 0)).trim() === '';
      isBetween = isBlank && (isBetween || prologEnd > offset);
    } else isBetween = false;
    return end === undefined ? undefined : end - offset;
  };

  const restart = (): void => {
    saxes = undefined;
    written = 0;
    end = undefined;
    attributes = 0;
    current = last = elements.root;
    prologEnd = 0;
    isBetween = false;
    builder = newBuilder();
  };

  // With an index: slicing the rest of a chunk after each document would copy it each time.
  const read = (xml: string): void => {
    let at = saxes === undefined ? endOfBlanks(xml, 0) : 0;
    while (at < xml.length && !isOver) {
      saxes ??= begin();
      const piece = xml.slice(at, onPiece === undefined ? undefined : at + PIECE_CHARACTERS);
      const used = feed(saxes, piece);
      if (used === undefined) {
        at += piece.length;
        onPiece?.(builder);
      } else {
        at = endOfBlanks(xml, at + used);
        const document = builder;
        restart();
        isOver = !take(document);
      }
    }
  };

  return {
    read,
    restart,
    end: () => {
      if (saxes !== undefined && !isBetween) throw problem('the end of the document', 'the end of the body');
    },
  };
}

const BLANKS = /\s*/y;

function endOfBlanks(xml: string, from: number): number {
  BLANKS.lastIndex = from;
  BLANKS.test(xml);
  return BLANKS.lastIndex;
}
