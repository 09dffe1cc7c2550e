import { detachString, NOTIFICATION } from './eventSchema.ts';
import {
  countPart,
  type MessageBuilder,
  SchemaViolation,
  newFault,
  newResponse,
  NO_VALUES,
  type ElementHandler,
  type Values,
} from './schema.ts';

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
