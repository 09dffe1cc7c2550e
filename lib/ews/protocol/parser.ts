import { ignoreElements, Observable, type OperatorFunction, tap } from 'rxjs';
import { SaxesParser } from 'saxes';
import { DecodeError } from '../../core/errors.ts';
import { DEFAULT_LIMITS, type Limits } from '../../core/limits.ts';
import type { ServerEvent } from './events.ts';
import { type Attributes, type MessageBuilder, SchemaViolation, newBuilder } from './schema.ts';
import { DOCUMENT } from './messageSchema.ts';
import { pathOf, type ElementNode, elementCache } from './elements.ts';
import type { EwsMessage } from './messages.ts';

/** Options of the parsers. */
export interface ParserOptions extends Pick<Limits, 'depth' | 'messageCharacters'> {
  /** The name of the document in errors. @default 'EWS response' */
  readonly subject?: string;
  /**
   * Called with events of an incomplete envelope, in order, and never while the parser runs. The message then
   * contains only the other events. @default the message contains all events
   */
  readonly onEvents?: (events: readonly ServerEvent[]) => void;
  /** Called after each envelope that had members of the wrong type, with their number. */
  readonly onDropped?: ((members: number) => void) | undefined;
}

/** Parses the bytes of a stream of SOAP envelopes; see {@link messageReader}. */
export interface MessageParser {
  /**
   * Reads the next chunk, cut at any byte. After it has thrown a {@link DecodeError}, the parser cannot be
   * used.
   */
  write(chunk: Uint8Array): void;
  /** Ends the stream. It throws a {@link DecodeError} in the middle of an envelope. */
  end(): void;
}

/** Parses the text of a stream of SOAP envelopes; see {@link messageReader}. */
interface MessageReader {
  /** Reads the next chunk, cut at any character. */
  read(xml: string): void;
  /** Drops the current envelope and starts the next one; it may be used after an error. */
  restart(): void;
  end(): void;
}

const SAXES_OPTIONS = { xmlns: false, position: false } as const;
/** The number of attributes of an element: saxes collects all of them before it emits the element. */
const MAX_ATTRIBUTES = 100;
/** How many characters are parsed before `onEvents` is called: about ten events (ews-first). */
const PIECE_CHARACTERS = 4096;

/** Creates a {@link messageReader} of UTF-8 bytes. */
export function messageParser(next: (message: EwsMessage) => void, options?: ParserOptions): MessageParser {
  const decoder = new TextDecoder();
  const reader = messageReader(next, options);
  return {
    write: (chunk) => reader.read(decoder.decode(chunk, { stream: true })),
    end: () => {
      reader.read(decoder.decode());
      reader.end();
    },
  };
}

/**
 * Creates a parser of SOAP envelopes that follow one another, each with or without an XML declaration.
 *
 * @param next Called with each message, in order, and never while the parser runs.
 */
export function messageReader(next: (message: EwsMessage) => void, options?: ParserOptions): MessageReader {
  return envelopeReader((messages) => {
    messages.forEach(next);
    return true;
  }, options);
}

/**
 * Creates a parser of SOAP envelopes that follow one another, which can stop after any of them.
 *
 * Messages are emitted when their envelope is complete: an envelope that breaks off emits nothing, except for
 * the events passed to `onEvents` before. Prefixes are ignored. Document type declarations, and entities
 * other than those of XML, are errors.
 *
 * @param take Called with the messages of each envelope, in order, and never while the parser runs. Returns
 * whether to continue; otherwise everything that follows is ignored.
 */
export function envelopeReader(
  take: (messages: readonly EwsMessage[]) => boolean,
  options: ParserOptions = {},
): MessageReader {
  const { subject = 'EWS response', onEvents, onDropped } = options;
  const { depth = DEFAULT_LIMITS.depth, messageCharacters = DEFAULT_LIMITS.messageCharacters } = options;
  const elements = elementCache(DOCUMENT);
  /** The innermost open element, and the one that was opened last. */
  let current: ElementNode = elements.root;
  let last: ElementNode = elements.root;
  let text = '';
  /** The attributes read so far of the current tag. */
  let attributes = 0;
  let builder: MessageBuilder = newBuilder();
  let saxes: SaxesParser<typeof SAXES_OPTIONS> | undefined;
  let written = 0;
  /** The position at which the envelope ended, if it has. */
  let end: number | undefined;
  /** The position at which the last comment or instruction before the envelope ended; 0 if there is none. */
  let prologEnd = 0;
  /** Whether there were only comments and instructions since the last envelope. */
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

  const begin = (): SaxesParser<typeof SAXES_OPTIONS> => {
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

  const checkLength = (length: number): void => {
    if (length > messageCharacters) throw problem(`at most ${messageCharacters} characters`, 'more');
  };

  /** Returns whether saxes has failed after the end of the envelope: then the next envelope has the error. */
  const isAfterEnd = (parser: SaxesParser<typeof SAXES_OPTIONS>): boolean =>
    end !== undefined && parser.position > end;

  /** Feeds saxes; returns how many characters belong to the envelope, if it has ended. */
  const feed = (parser: SaxesParser<typeof SAXES_OPTIONS>, xml: string): number | undefined => {
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
    checkLength(end ?? written);
    if (last === elements.root) {
      const isBlank = xml.slice(Math.max(prologEnd - offset, 0)).trim() === '';
      isBetween = isBlank && (isBetween || prologEnd > offset);
    } else isBetween = false;
    return end === undefined ? undefined : end - offset;
  };

  /** Only for the first notification: later events would overtake the rest of it. */
  const emitEvents = (): void => {
    const { response, notification } = builder;
    if (response.responseClass === 'Error' || response.notifications.length > 0) return;
    if (notification.events.length > 0) onEvents?.(notification.events.splice(0));
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

  // With an index: slicing the rest of a chunk after each envelope would copy it each time.
  const read = (xml: string): void => {
    let at = saxes === undefined ? endOfBlanks(xml, 0) : 0;
    while (at < xml.length && !isOver) {
      saxes ??= begin();
      const piece = xml.slice(at, onEvents === undefined ? undefined : at + PIECE_CHARACTERS);
      const used = feed(saxes, piece);
      if (used === undefined) {
        at += piece.length;
        emitEvents();
        continue;
      }
      at = endOfBlanks(xml, at + used);
      const { messages, dropped } = builder;
      if (dropped > 0) onDropped?.(dropped);
      restart();
      isOver = !take(messages);
    }
  };

  return {
    read,
    restart,
    end: () => {
      if (saxes !== undefined && !isBetween) throw problem('the end of the envelope', 'the end of the body');
    },
  };
}

const BLANKS = /\s*/y;

function endOfBlanks(xml: string, from: number): number {
  BLANKS.lastIndex = from;
  BLANKS.test(xml);
  return BLANKS.lastIndex;
}

/**
 * Returns an operator that parses bytes as they arrive, and emits the messages of their SOAP envelopes.
 *
 * It errors with a {@link DecodeError}, after the messages of all complete envelopes.
 */
export function parseMessages(options?: ParserOptions): OperatorFunction<Uint8Array, EwsMessage> {
  return (chunks$) =>
    new Observable((subscriber) => {
      const parser = messageParser((message) => subscriber.next(message), options);
      chunks$
        .pipe(tap({ next: (chunk) => parser.write(chunk), complete: () => parser.end() }), ignoreElements())
        .subscribe(subscriber);
    });
}
