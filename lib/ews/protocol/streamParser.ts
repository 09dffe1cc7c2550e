import { distinctUntilChanged, ignoreElements, Observable, type OperatorFunction, tap } from 'rxjs';
import { DecodeError } from '../../core/errors.ts';
import { DEFAULT_LIMITS } from '../../core/limits.ts';
import { envelopeReader, type MessageParser, type ParserOptions } from './parser.ts';
import type { EwsMessage } from './messages.ts';

/** An envelope of a stream that could not be read. The next one can be. */
interface UnreadableEnvelope {
  readonly type: 'unreadable';
  readonly problem: DecodeError;
}

/** A message of a stream, or an envelope that could not be read. */
export type StreamedMessage = EwsMessage | UnreadableEnvelope;

/** The beginning of an envelope, with or without a declaration. The length of a prefix is limited. */
const BEGINNING = /<(?:\?xml[\s?]|(?:[^\s<>/?!:]{1,80}:)?Envelope[\s/>])/;
/** The end of a chunk that may be the start of such a beginning. */
const CUT_BEGINNING = /<(?:\?(?:x(?:ml?)?)?|[^\s<>/?!]{0,90})$/;

/**
 * Creates a parser of a stream, which continues after an envelope that cannot be read.
 *
 * It finds the beginnings of envelopes without parsing them, so that an error affects only its own envelope.
 *
 * @param next Called with each message or unreadable envelope, in order.
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
  /** Whether to skip everything up to the next envelope. */
  let isUnreadable = false;
  let isInElement = false;
  /** The last character that is not white space: it matters before an element. */
  let before = '';
  let length = 0;
  /** The end of the last chunk, which may be the start of a beginning. */
  let carry = '';

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
    // A declaration or comment before the element ends with a bracket. Anything else is an envelope that
    // broke off.
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
    let rest = carry + xml;
    for (let found = BEGINNING.exec(rest); found !== null; found = BEGINNING.exec(rest)) {
      const [beginning] = found;
      take(rest.slice(0, found.index));
      begin(beginning);
      rest = rest.slice(found.index + beginning.length);
    }
    carry = CUT_BEGINNING.exec(rest)?.[0] ?? '';
    take(rest.slice(0, rest.length - carry.length));
  };

  return {
    write: (chunk) => read(decoder.decode(chunk, { stream: true })),
    end: () => {
      take(carry + decoder.decode());
      attempt(() => reader.end());
    },
  };
}

/**
 * Returns an operator that parses the bytes of a stream as they arrive, and emits its messages.
 *
 * An unreadable envelope is emitted too, but only the first of several in a row: an envelope of a dozen
 * characters must not produce an error of hundreds. It errors with a {@link DecodeError} only for an envelope
 * that is too long.
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
