import { ignoreElements, Observable, type OperatorFunction, tap } from 'rxjs';
import type { Limits } from '../../core/limits.ts';
import { documentReader, type DocumentReader } from './documentReader.ts';
import type { ServerEvent } from './events.ts';
import type { EwsMessage } from './messages.ts';
import {
  type MessageBuilder,
  newBuilder,
  countPart,
  SchemaViolation,
  newFault,
  newResponse,
  NO_VALUES,
  type ElementHandler,
  type Values,
} from './schema.ts';
import { detachString, NOTIFICATION } from './eventSchema.ts';

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

/** Reads a MessageXml: values by their names, and other elements, such as Violation, by theirs. */
const MESSAGE_XML: ElementHandler = {
  otherwise: {
    open: (builder, { Name: name }, localName) => {
      countPart(builder);
      builder.valueName = name ?? localName;
    },
    close: ({ values, valueName }, text) => values.set(valueName, text),
  },
};

/** Returns the values of a message that has a MessageXml; most have none. */
function valuesIn(owner: { values: Values }): Values {
  if (owner.values === NO_VALUES) owner.values = new Map();
  return owner.values;
}

const RESPONSE: ElementHandler = {
  children: new Map<string, ElementHandler>([
    [
      'ResponseCode',
      {
        close: ({ response, isUnclassed }, text) => {
          response.responseCode = text;
          if (isUnclassed && text.startsWith('Error')) response.responseClass = 'Error';
        },
      },
    ],
    ['MessageText', { close: ({ response }, text) => (response.messageText = text) }],
    ['MessageXml', { ...MESSAGE_XML, open: (builder) => (builder.values = valuesIn(builder.response)) }],
    [
      'SubscriptionId',
      { close: ({ response }, text) => text !== '' && (response.subscriptionId = detachString(text)) },
    ],
    [
      'Watermark',
      { close: ({ response }, text) => text !== '' && (response.watermark = detachString(text)) },
    ],
    ['Notification', NOTIFICATION],
    ['Notifications', { children: new Map([['Notification', NOTIFICATION]]) }],
    [
      'ErrorSubscriptionIds',
      {
        children: new Map<string, ElementHandler>([
          [
            'SubscriptionId',
            { open: countPart, close: ({ response }, text) => response.errorSubscriptionIds.push(text) },
          ],
        ]),
      },
    ],
    [
      'ConnectionStatus',
      {
        close: (builder, text) => {
          if (text === 'OK' || text === 'Closed') builder.response.connectionStatus = text;
          else builder.dropped += 1;
        },
      },
    ],
  ]),
  open: (builder, { ResponseClass: given }) => {
    countPart(builder);
    builder.response = newResponse(builder.operation);
    const isClass = given === 'Success' || given === 'Warning' || given === 'Error';
    builder.isUnclassed = !isClass;
    if (isClass) builder.response.responseClass = given;
    else if (given !== undefined) builder.dropped += 1;
  },
  close: ({ messages, response }) => messages.push(response),
};

/** Any child of ResponseMessages is a response message: some servers name it `x`. */
const OPERATION: ElementHandler = {
  children: new Map<string, ElementHandler>([['ResponseMessages', { otherwise: RESPONSE }]]),
  open: (builder, _attributes, localName) => (builder.operation = localName),
};

const FAULT: ElementHandler = {
  children: new Map<string, ElementHandler>([
    ['faultcode', { close: ({ fault }, text) => (fault.faultCode = text) }],
    ['faultstring', { close: ({ fault }, text) => (fault.faultString = text) }],
    [
      'detail',
      {
        children: new Map<string, ElementHandler>([
          ['ResponseCode', { close: ({ fault }, text) => (fault.responseCode = text) }],
          ['Message', { close: ({ fault }, text) => (fault.message = text) }],
          ['MessageXml', { ...MESSAGE_XML, open: (builder) => (builder.values = valuesIn(builder.fault)) }],
        ]),
      },
    ],
  ]),
  open: (builder) => {
    countPart(builder);
    builder.fault = newFault();
  },
  close: ({ messages, fault }) => messages.push({ type: 'fault', ...fault }),
};

const BODY: ElementHandler = { children: new Map([['Fault', FAULT]]), otherwise: OPERATION };

const ENVELOPE: ElementHandler = { children: new Map([['Body', BODY]]) };

/** Reads a document: one SOAP envelope, by local names. */
export const DOCUMENT: ElementHandler = {
  children: new Map([['Envelope', ENVELOPE]]),
  otherwise: {
    open: (_builder: MessageBuilder, _attributes, localName) => {
      throw new SchemaViolation('a SOAP envelope', `<${localName}>: a proxy or login page in between?`);
    },
  },
};
