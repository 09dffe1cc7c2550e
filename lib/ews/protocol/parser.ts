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
  /** What is read, for errors. @default 'EWS response' */
  readonly subject?: string;
  /**
   * Called with events of an envelope that is not complete yet, in order and outside of the parsing; its message
   * brings those that are left. @default all come with the message
   */
  readonly onEvents?: (events: readonly ServerEvent[]) => void;
  /** Called with the number of members that were left out of an envelope, when it is complete. */
  readonly onDropped?: ((members: number) => void) | undefined;
}

/** Takes chunks of a stream of SOAP envelopes; see {@link messageReader}. */
export interface MessageParser {
  /** Reads the next chunk, wherever it was cut. Throws a {@link DecodeError}; then the parser is done. */
  write(chunk: Uint8Array): void;
  /** Says that nothing follows. Throws a {@link DecodeError} where that is in the middle of an envelope. */
  end(): void;
}

/** The same for text; see {@link messageReader}. */
interface MessageReader {
  /** Reads the next chunk: each character once, wherever the chunks are cut. */
  read(xml: string): void;
  /** Forgets the envelope that is being read, so that another can begin: after an error, too. */
  restart(): void;
  end(): void;
}

const SAXES_OPTIONS = { xmlns: false, position: false } as const;
/** How many attributes an element may have. saxes collects them all before it hands on the element. */
const MOST_ATTRIBUTES = 100;
/** How many characters are read before what was read is handed on: about ten events (ews-first). */
const PIECE_CHARACTERS = 4096;

/** Creates a {@link messageReader} of bytes, which are UTF-8. */
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
 * Creates a parser that hands on the messages of a stream of SOAP envelopes: one after another, with or
 * without an XML declaration before each, cut into chunks at any byte.
 *
 * @param next Called with each message, in order, outside of the parsing.
 */
export function messageReader(next: (message: EwsMessage) => void, options?: ParserOptions): MessageReader {
  return envelopeReader((messages) => {
    messages.forEach(next);
    return true;
  }, options);
}

/**
 * Creates a parser that hands on the messages of one SOAP envelope after another.
 *
 * It does so when an envelope is complete, so nothing comes out of one that breaks off, except for the events that
 * `onEvents` was called with by then. Names are read without their prefixes. Document type declarations and
 * entities other than XML's own are refused.
 *
 * @param take Called with the messages of each envelope, in order, outside of the parsing. Returns whether to read
 * on; otherwise everything that follows is ignored.
 */
export function envelopeReader(
  take: (messages: readonly EwsMessage[]) => boolean,
  options: ParserOptions = {},
): MessageReader {
  const { subject = 'EWS response', onEvents, onDropped } = options;
  const { depth = DEFAULT_LIMITS.depth, messageCharacters = DEFAULT_LIMITS.messageCharacters } = options;
  const places = elementCache(DOCUMENT);
  /** The element that is open, and the one that was opened last. */
  let here: ElementNode = places.root;
  let last: ElementNode = places.root;
  let text = '';
  /** Those of the element whose tag is being read. */
  let attributes = 0;
  let draft: MessageBuilder = newBuilder();
  let saxes: SaxesParser<typeof SAXES_OPTIONS> | undefined;
  let written = 0;
  /** Where the envelope ended, if it has. */
  let end: number | undefined;
  /** Where the last comment or instruction before the envelope ended; 0 if there is none. */
  let prologEnd = 0;
  /** Whether only these have come since the last envelope. */
  let isBetween = false;
  let isOver = false;

  const problem = (expected: string, actual: string, cause?: unknown): DecodeError =>
    new DecodeError(subject, { path: pathOf(here), expected, actual }, cause === undefined ? {} : { cause });

  const onOpen = (tag: { readonly name: string; readonly attributes: Attributes }): void => {
    attributes = 0;
    if (here.depth === depth) throw problem(`at most ${depth} elements in one another`, 'one more');
    here = last = places.open(here, last, tag.name);
    text = '';
    here.open?.(draft, tag.attributes, here.localName);
  };

  const onInstruction = (): void => {
    if (last === places.root) prologEnd = saxes?.position ?? 0;
  };

  const onComment = (): void => {
    onInstruction();
    // Called before its last character.
    prologEnd += 1;
  };

  const onAttribute = (): void => {
    attributes += 1;
    if (attributes > MOST_ATTRIBUTES) throw problem(`at most ${MOST_ATTRIBUTES} attributes`, 'more');
  };

  const onText = (part: string): void => {
    text += part;
  };

  const onClose = (): void => {
    const { close, parent = here } = here;
    close?.(draft, text.trim());
    here = parent;
    if (here === places.root) end = saxes?.position;
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
    parser.on('comment', onComment);
    parser.on('processinginstruction', onInstruction);
    return parser;
  };

  const checkLength = (length: number): void => {
    if (length > messageCharacters) throw problem(`at most ${messageCharacters} characters`, 'more');
  };

  /** Of what saxes refuses: that which is behind the end of the envelope is the next one's. */
  const isBehind = (parser: SaxesParser<typeof SAXES_OPTIONS>): boolean =>
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
      if (!isBehind(parser)) {
        throw problem('well-formed XML', error instanceof Error ? error.message : 'something else', error);
      }
    }
    checkLength(end ?? written);
    if (last === places.root) {
      const isBlank = xml.slice(Math.max(prologEnd - offset, 0)).trim() === '';
      isBetween = isBlank && (isBetween || prologEnd > offset);
    } else isBetween = false;
    return end === undefined ? undefined : end - offset;
  };

  /** Of one notification only: behind that, they would overtake what is left of the one before. */
  const handOn = (): void => {
    const { response, notification } = draft;
    if (response.responseClass === 'Error' || response.notifications.length > 0) return;
    if (notification.events.length > 0) onEvents?.(notification.events.splice(0));
  };

  const restart = (): void => {
    saxes = undefined;
    written = 0;
    end = undefined;
    attributes = 0;
    here = last = places.root;
    prologEnd = 0;
    isBetween = false;
    draft = newBuilder();
  };

  // By an index: to join what is left of one chunk after another copies it for each envelope.
  const read = (xml: string): void => {
    let at = saxes === undefined ? endOfBlanks(xml, 0) : 0;
    while (at < xml.length && !isOver) {
      saxes ??= begin();
      const piece = xml.slice(at, onEvents === undefined ? undefined : at + PIECE_CHARACTERS);
      const used = feed(saxes, piece);
      if (used === undefined) {
        at += piece.length;
        handOn();
        continue;
      }
      at = endOfBlanks(xml, at + used);
      const { messages, dropped } = draft;
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
 * Returns an operator that reads the bytes of a response as they arrive and emits the messages of its SOAP
 * envelopes, as {@link messageReader} does. It errors with a {@link DecodeError} after the messages that were
 * complete before.
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
