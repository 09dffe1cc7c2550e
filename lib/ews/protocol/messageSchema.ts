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

/** Reads a MessageXml: its values by their name, and other elements, such as Violation, by theirs. */
const MESSAGE_XML: ElementHandler = {
  otherwise: {
    open: (draft, { Name: name }, localName) => {
      countPart(draft);
      draft.valueName = name ?? localName;
    },
    close: ({ values, valueName }, text) => values.set(valueName, text),
  },
};

/** Values of its own for what has a MessageXml, which most do not. */
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
    ['MessageXml', { ...MESSAGE_XML, open: (draft) => (draft.values = valuesIn(draft.response)) }],
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
        close: (draft, text) => {
          if (text === 'OK' || text === 'Closed') draft.response.connectionStatus = text;
          else draft.dropped += 1;
        },
      },
    ],
  ]),
  open: (draft, { ResponseClass: given }) => {
    countPart(draft);
    draft.response = newResponse(draft.operation);
    const isClass = given === 'Success' || given === 'Warning' || given === 'Error';
    draft.isUnclassed = !isClass;
    if (isClass) draft.response.responseClass = given;
    else if (given !== undefined) draft.dropped += 1;
  },
  close: ({ messages, response }) => messages.push(response),
};

/** One server family calls its response messages `x`, so any child of ResponseMessages is one. */
const OPERATION: ElementHandler = {
  children: new Map<string, ElementHandler>([['ResponseMessages', { otherwise: RESPONSE }]]),
  open: (draft, _attributes, localName) => (draft.operation = localName),
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
          ['MessageXml', { ...MESSAGE_XML, open: (draft) => (draft.values = valuesIn(draft.fault)) }],
        ]),
      },
    ],
  ]),
  open: (draft) => {
    countPart(draft);
    draft.fault = newFault();
  },
  close: ({ messages, fault }) => messages.push({ type: 'fault', ...fault }),
};

const BODY: ElementHandler = { children: new Map([['Fault', FAULT]]), otherwise: OPERATION };

const ENVELOPE: ElementHandler = { children: new Map([['Body', BODY]]) };

/** Reads a document: one SOAP envelope, by local names, whatever the prefixes are. */
export const DOCUMENT: ElementHandler = {
  children: new Map([['Envelope', ENVELOPE]]),
  otherwise: {
    open: (_draft: MessageBuilder, _attributes, localName) => {
      throw new SchemaViolation('a SOAP envelope', `<${localName}>: a proxy or login page in between?`);
    },
  },
};
