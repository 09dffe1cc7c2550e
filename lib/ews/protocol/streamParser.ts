import { distinctUntilChanged, ignoreElements, Observable, type OperatorFunction, tap } from 'rxjs';
import { DecodeError } from '../../core/errors.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { envelopeReader, type MessageParser, type ParserOptions } from './parser.ts';
import type { EwsMessage } from './messages.ts';

/** An envelope of a stream that could not be read. Those behind it can be. */
interface UnreadableEnvelope {
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
  const { subject = 'EWS response', messageCharacters = DEFAULT_LIMITS.messageCharacters } = options;
  const decoder = new TextDecoder();
  const reader = envelopeReader((messages) => {
    messages.forEach(next);
    isInElement = false;
    length = 0;
    return true;
  }, options);
  /** Until the next envelope, where one cannot be read. */
  let isUnreadable = false;
  let isInElement = false;
  /** The last character so far that is no white space: it matters in front of an element. */
  let before = '';
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
    if (length > messageCharacters) {
      throw new DecodeError(subject, {
        path: '',
        expected: `at most ${messageCharacters} characters in an envelope`,
        actual: 'more',
      });
    }
    before = xml.trimEnd().at(-1) ?? before;
    attempt(() => reader.read(xml));
  };

  const begin = (beginning: string): void => {
    const isElement = !beginning.startsWith('<?');
    // A declaration or a comment in front of the element ends with a bracket; anything else broke off there.
    const isNext = isInElement || (before !== '' && !(isElement && before === '>'));
    if (isNext || isUnreadable) {
      attempt(() => reader.end());
      reader.restart();
      isUnreadable = false;
      isInElement = false;
      before = '';
      length = 0;
    }
    take(beginning);
    isInElement ||= isElement;
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
      attempt(() => reader.end());
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
  return (chunks$) => {
    const messages$ = new Observable<StreamedMessage>((subscriber) => {
      const parser = streamingParser((message) => subscriber.next(message), options);
      chunks$
        .pipe(tap({ next: (chunk) => parser.write(chunk), complete: () => parser.end() }), ignoreElements())
        .subscribe(subscriber);
    });
    return messages$.pipe(
      distinctUntilChanged((before, { type }) => before.type === 'unreadable' && type === 'unreadable'),
    );
  };
}
