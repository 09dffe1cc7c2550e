import { ignoreElements, Observable, type OperatorFunction, tap } from 'rxjs';
import { SaxesParser } from 'saxes';
import { DecodeError } from '../core/errors.ts';
import { numberOption } from '../core/options.ts';
import type { ServerEvent } from './events.ts';
import { type Attributes, type Draft, GrammarViolation, newDraft, type Step } from './grammar.ts';
import { DOCUMENT } from './messageGrammar.ts';
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
  end(): void;
}

const SAXES_OPTIONS = { xmlns: false, position: false } as const;
const SKIP: Step = {};
const NOTHING: ReadonlyMap<string, Step> = new Map();
/** A server that makes up prefixes without end must not fill the memory. */
const MOST_KNOWN_NAMES = 256;
/** Leaving by this is the only way to stop saxes at the end of an envelope, in the middle of a chunk. */
const ENVELOPE_END = new Error('the end of an envelope');
/** How many characters are read before what was read is handed on: about ten events (ews-first). */
const PIECE_CHARACTERS = 4096;
const LEADING = /^[\s\uFEFF]+/;

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
  const localNames = new Map<string, string>();
  const steps: Step[] = [DOCUMENT];
  const names: string[] = [''];
  let depth = 0;
  let text = '';
  let draft: Draft = newDraft();
  let saxes: SaxesParser<typeof SAXES_OPTIONS> | undefined;
  let written = 0;
  let end = 0;

  const problem = (expected: string, actual: string, cause?: unknown): DecodeError => {
    const path = names
      .slice(1, depth + 1)
      .map((name) => `/${localNameOf(name)}`)
      .join('');
    return new DecodeError(subject, { path, expected, actual }, cause === undefined ? {} : { cause });
  };

  const localNameOf = (name: string): string => {
    const known = localNames.get(name);
    if (known !== undefined) return known;
    const local = name.slice(name.indexOf(':') + 1);
    if (localNames.size < MOST_KNOWN_NAMES) localNames.set(name, local);
    return local;
  };

  const onOpen = (tag: { readonly name: string; readonly attributes: Attributes }): void => {
    const { within = NOTHING, otherwise = SKIP } = steps[depth] ?? SKIP;
    if (depth === maxDepth) throw problem(`at most ${maxDepth} elements in one another`, 'one more');
    const local = localNameOf(tag.name);
    const step = within.get(local) ?? otherwise;
    depth += 1;
    steps[depth] = step;
    names[depth] = tag.name;
    text = '';
    step.open?.(draft, tag.attributes, local);
  };

  const onText = (part: string): void => {
    text += part;
  };

  const onClose = (): void => {
    steps[depth]?.close?.(draft, text.trim());
    depth -= 1;
    if (depth > 0) return;
    end = saxes?.position ?? 0;
    throw ENVELOPE_END;
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

  /** Feeds saxes; returns what follows the end of the envelope, or undefined where it has not ended. */
  const feed = (parser: SaxesParser<typeof SAXES_OPTIONS>, xml: string): string | undefined => {
    const offset = written;
    written += xml.length;
    try {
      parser.write(xml);
    } catch (error) {
      if (error === ENVELOPE_END) {
        checkLength(end);
        return xml.slice(end - offset);
      }
      if (error instanceof GrammarViolation) throw problem(error.expected, error.actual, error);
      if (error instanceof DecodeError) throw error;
      throw problem('well-formed XML', error instanceof Error ? error.message : 'something else', error);
    }
    checkLength(written);
    return undefined;
  };

  /** Of one notification only: behind that, they would overtake what is left of the one before. */
  const handOn = (): void => {
    const { response, notification } = draft;
    if (response.responseClass === 'Error' || response.notifications.length > 0) return;
    if (notification.events.length > 0) onEvents?.(notification.events.splice(0));
  };

  const read = (xml: string): void => {
    let rest = saxes === undefined ? xml.replace(LEADING, '') : xml;
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
      saxes = undefined;
      written = 0;
      draft = newDraft();
      messages.forEach(next);
      rest = (after + rest).replace(LEADING, '');
    }
  };

  return {
    read,
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
