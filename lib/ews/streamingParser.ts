import { distinctUntilChanged, ignoreElements, Observable, type OperatorFunction, tap } from 'rxjs';
import { DecodeError } from '../core/errors.ts';
import { type MessageParser, messageReader, type ParserOptions } from './parser.ts';
import type { EwsMessage } from './wire.ts';

/** An envelope of a stream that could not be read. Those behind it can be. */
export interface UnreadableEnvelope {
  readonly type: 'unreadable';
  /** What is wrong with it. */
  readonly problem: DecodeError;
}

/** What a stream brings. */
export type StreamedMessage = EwsMessage | UnreadableEnvelope;

/** How an envelope begins: with its declaration, or without one. A prefix is not as long as one likes. */
const BEGINNING = /<(?:\?xml[\s?]|(?:[^\s<>/?!:]{1,80}:)?Envelope[\s/>])/;
/** What may be such a beginning, as far as it is there. */
const CUT_BEGINNING = /<(?:\?(?:x(?:ml?)?)?|[^\s<>/?!]{0,90})$/;
/** What may stand before the first element of an envelope. */
const PROLOG = /^(?:\s|<\?[^<>]*\?>|<!--[^<>]*-->)*$/;

/**
 * Creates a parser for a stream that goes on behind an envelope that cannot be read: where the next one begins
 * is seen before the parsing, so that whatever is wrong with one stays with that one.
 *
 * @param next Called with each message, and with each problem in the place of the message, in order.
 */
export function streamingParser(
  next: (message: StreamedMessage) => void,
  options: ParserOptions = {},
): MessageParser {
  const { subject = 'EWS response', maxEnvelopeCharacters = 16_777_216 } = options;
  const decoder = new TextDecoder();
  const reader = messageReader(next, options);
  /** Until the next envelope, where one cannot be read. */
  let isUnreadable = false;
  /** What was read of the envelope before its first element; undefined behind that. */
  let prolog: string | undefined = '';
  let length = 0;
  let held = '';

  const attempt = (read: () => void): void => {
    if (isUnreadable) return;
    try {
      read();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      isUnreadable = true;
      next({ type: 'unreadable', problem: error });
    }
  };

  const take = (xml: string): void => {
    length += xml.length;
    if (length > maxEnvelopeCharacters) {
      throw new DecodeError(subject, {
        path: '',
        expected: `at most ${maxEnvelopeCharacters} characters in an envelope`,
        actual: 'more',
      });
    }
    if (prolog !== undefined && !isUnreadable) prolog += xml;
    attempt(() => reader.read(xml));
  };

  const begin = (beginning: string): void => {
    const isElement = !beginning.startsWith('<?');
    const isNext = prolog === undefined || (isElement ? !PROLOG.test(prolog) : prolog.trim() !== '');
    if (isNext || isUnreadable) {
      attempt(reader.end);
      reader.restart();
      isUnreadable = false;
      prolog = '';
      length = 0;
    }
    take(beginning);
    if (isElement) prolog = undefined;
  };

  const read = (xml: string): void => {
    let rest = held + xml;
    for (let found = BEGINNING.exec(rest); found !== null; found = BEGINNING.exec(rest)) {
      const [beginning] = found;
      take(rest.slice(0, found.index));
      begin(beginning);
      rest = rest.slice(found.index + beginning.length);
    }
    held = CUT_BEGINNING.exec(rest)?.[0] ?? '';
    take(rest.slice(0, rest.length - held.length));
  };

  return {
    write: (chunk) => read(decoder.decode(chunk, { stream: true })),
    end: () => {
      take(held + decoder.decode());
      attempt(reader.end);
    },
  };
}

/**
 * Returns an operator that reads the bytes of a stream as they arrive and emits the messages of its SOAP
 * envelopes, and where one cannot be read, what is wrong with it. Of several in a row that is told of the first:
 * an envelope of a dozen characters must not bring an error of hundreds each. It errors with a {@link DecodeError}
 * only for one that is too long.
 */
export function parseStream(options?: ParserOptions): OperatorFunction<Uint8Array, StreamedMessage> {
  return (chunks$) =>
    new Observable<StreamedMessage>((subscriber) => {
      const parser = streamingParser((message) => subscriber.next(message), options);
      chunks$
        .pipe(tap({ next: (chunk) => parser.write(chunk), complete: () => parser.end() }), ignoreElements())
        .subscribe(subscriber);
    }).pipe(
      distinctUntilChanged((before, { type }) => before.type === 'unreadable' && type === 'unreadable'),
    );
}
