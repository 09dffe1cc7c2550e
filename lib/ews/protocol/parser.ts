import { ignoreElements, Observable, type OperatorFunction, tap } from 'rxjs';
import type { Limits } from '../../core/limits.ts';
import { documentReader, type DocumentReader } from './documentReader.ts';
import type { ServerEvent } from './events.ts';
import { DOCUMENT } from './messageSchema.ts';
import type { EwsMessage } from './messages.ts';
import { type MessageBuilder, newBuilder } from './schema.ts';

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

/** Parses the bytes of a stream of SOAP envelopes. */
export interface MessageParser {
  /**
   * Reads the next chunk, cut at any byte. After it has thrown a {@link DecodeError}, the parser cannot be
   * used.
   */
  write(chunk: Uint8Array): void;
  /** Ends the stream. It throws a {@link DecodeError} in the middle of an envelope. */
  end(): void;
}

/**
 * Creates an {@link envelopeReader} of UTF-8 bytes.
 *
 * @param next Called with each message, in order, and never while the parser runs.
 */
export function messageParser(next: (message: EwsMessage) => void, options?: ParserOptions): MessageParser {
  const decoder = new TextDecoder();
  const reader = envelopeReader((messages) => {
    messages.forEach(next);
    return true;
  }, options);
  return {
    write: (chunk) => reader.read(decoder.decode(chunk, { stream: true })),
    end: () => {
      reader.read(decoder.decode());
      reader.end();
    },
  };
}

/**
 * Creates a parser of SOAP envelopes that follow one another, which can stop after any of them.
 *
 * Messages are emitted when their envelope is complete: an envelope that breaks off emits nothing, except for
 * the events passed to `onEvents` before.
 *
 * @param take Called with the messages of each envelope, in order, and never while the parser runs. Returns
 * whether to continue; otherwise everything that follows is ignored.
 */
export function envelopeReader(
  take: (messages: readonly EwsMessage[]) => boolean,
  { subject = 'EWS response', onEvents, onDropped, ...limits }: ParserOptions = {},
): DocumentReader {
  return documentReader({
    ...limits,
    subject,
    schema: DOCUMENT,
    newBuilder,
    take: ({ messages, dropped }) => {
      if (dropped > 0) onDropped?.(dropped);
      return take(messages);
    },
    onPiece: onEvents === undefined ? undefined : (builder) => emitEvents(builder, onEvents),
  });
}

/** Only for the first notification: later events would overtake the rest of it. */
function emitEvents(
  { response, notification }: MessageBuilder,
  onEvents: (events: readonly ServerEvent[]) => void,
): void {
  if (response.responseClass === 'Error' || response.notifications.length > 0) return;
  if (notification.events.length > 0) onEvents(notification.events.splice(0));
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
