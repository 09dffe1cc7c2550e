import { ignoreElements, Observable, type OperatorFunction, tap } from 'rxjs';
import { SaxesParser } from 'saxes';
import { DecodeError } from '../core/errors.ts';
import { numberOption } from '../core/options.ts';
import type { ServerEvent } from './events.ts';
import { type Attributes, type Draft, GrammarViolation, newDraft } from './grammar.ts';
import { DOCUMENT } from './messageGrammar.ts';
import { pathOf, type Place, placesOf } from './places.ts';
import type { EwsMessage } from './wire.ts';

/** What a parser takes, and what it is for. */
export interface ParserOptions {
  /** What is read, for errors. @default 'EWS response' */
  readonly subject?: string;
  /** How deep elements may be in one another. @default 64 */
  readonly maxDepth?: number;
  /** How many characters one envelope may have. @default 16_777_216 */
  readonly maxEnvelopeCharacters?: number;
  /**
   * Called with events of an envelope that is not complete yet, in order and outside of the parsing; its message
   * brings those that are left. @default all come with the message
   */
  readonly onEvents?: (events: readonly ServerEvent[]) => void;
}

/** Takes chunks of a stream of SOAP envelopes; see {@link messageReader}. */
export interface MessageParser {
  /** Reads the next chunk, wherever it was cut. Throws a {@link DecodeError}; then the parser is done. */
  write(chunk: Uint8Array): void;
  /** Says that nothing follows. Throws a {@link DecodeError} where that is in the middle of an envelope. */
  end(): void;
}

/** The same for what is text already; see {@link messageReader}. */
export interface MessageReader {
  read(xml: string): void;
  /** Forgets the envelope that is being read, so that another can begin: after an error, too. */
  restart(): void;
  end(): void;
}

const SAXES_OPTIONS = { xmlns: false, position: false } as const;
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
 * A message is handed on when its envelope is complete, so nothing comes out of one that breaks off, but for
 * what `onEvents` was given by then. Names
 * are read without their prefixes. Document type declarations and entities other than XML's own are refused.
 *
 * @param next Called with each message, in order, outside of the parsing.
 */
export function messageReader(
  next: (message: EwsMessage) => void,
  options: ParserOptions = {},
): MessageReader {
  const { subject = 'EWS response', maxDepth = 64, maxEnvelopeCharacters = 16_777_216, onEvents } = options;
  numberOption('maxDepth', maxDepth, { min: 16, integer: true });
  numberOption('maxEnvelopeCharacters', maxEnvelopeCharacters, { min: 1, integer: true });
  const places = placesOf(DOCUMENT);
  /** The element that is open, and the one that was opened last. */
  let here: Place = places.root;
  let last: Place = places.root;
  let text = '';
  let draft: Draft = newDraft();
  let saxes: SaxesParser<typeof SAXES_OPTIONS> | undefined;
  let written = 0;
  /** Where the envelope ended, where it did. */
  let end: number | undefined;

  const problem = (expected: string, actual: string, cause?: unknown): DecodeError =>
    new DecodeError(subject, { path: pathOf(here), expected, actual }, cause === undefined ? {} : { cause });

  const onOpen = (tag: { readonly name: string; readonly attributes: Attributes }): void => {
    if (here.depth === maxDepth) throw problem(`at most ${maxDepth} elements in one another`, 'one more');
    here = last = places.open(here, last, tag.name);
    text = '';
    here.open?.(draft, tag.attributes, here.localName);
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
    throw problem('no document type declaration', 'one');
  };

  const begin = (): SaxesParser<typeof SAXES_OPTIONS> => {
    const parser = new SaxesParser(SAXES_OPTIONS);
    parser.on('opentag', onOpen);
    parser.on('text', onText);
    parser.on('cdata', onText);
    parser.on('closetag', onClose);
    parser.on('doctype', onDoctype);
    return parser;
  };

  const checkLength = (length: number): void => {
    if (length > maxEnvelopeCharacters) throw problem(`at most ${maxEnvelopeCharacters} characters`, 'more');
  };

  /** Of what saxes refuses: that which is behind the end of the envelope is the next one's. */
  const isBehind = (parser: SaxesParser<typeof SAXES_OPTIONS>): boolean =>
    end !== undefined && parser.position > end;

  /** Feeds saxes; returns what follows the end of the envelope, or undefined where it has not ended. */
  const feed = (parser: SaxesParser<typeof SAXES_OPTIONS>, xml: string): string | undefined => {
    const offset = written;
    written += xml.length;
    try {
      parser.write(xml);
    } catch (error) {
      if (error instanceof GrammarViolation) throw problem(error.expected, error.actual, error);
      if (error instanceof DecodeError) throw error;
      if (!isBehind(parser)) {
        throw problem('well-formed XML', error instanceof Error ? error.message : 'something else', error);
      }
    }
    checkLength(end ?? written);
    return end === undefined ? undefined : xml.slice(end - offset);
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
    here = places.root;
    draft = newDraft();
  };

  const read = (xml: string): void => {
    let rest = saxes === undefined ? xml.trimStart() : xml;
    while (rest !== '') {
      saxes ??= begin();
      const piece = onEvents === undefined ? rest : rest.slice(0, PIECE_CHARACTERS);
      const after = feed(saxes, piece);
      rest = rest.slice(piece.length);
      if (after === undefined) {
        handOn();
        continue;
      }
      const { messages } = draft;
      restart();
      messages.forEach(next);
      rest = (after + rest).trimStart();
    }
  };

  return {
    read,
    restart,
    end: () => {
      if (saxes !== undefined) throw problem('the end of the envelope', 'the end of the body');
    },
  };
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
