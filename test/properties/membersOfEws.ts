import fc from 'fast-check';
import { from, type Observable, of } from 'rxjs';
import { headersFrom, type HttpResponse, type Transport } from '../../lib/core/transport/transport.ts';
import { EwsError, SoapFault } from '../../lib/ews/protocol/errors.ts';
import { parseMessages } from '../../lib/ews/protocol/parser.ts';
import { soapCall, soapStream } from '../../lib/ews/protocol/soap.ts';
import type { StreamedMessage } from '../../lib/ews/protocol/streamParser.ts';
import type { EwsMessage } from '../../lib/ews/protocol/messages.ts';
import {
  answer,
  errorAnswer,
  eventsAnswer,
  faultAnswer,
  itemEvent,
  notification,
  plainFault,
} from '../ews/answers.ts';
import { postedError, postedEvents } from '../ews/push/posted.ts';
import { closed, grommunioStream, message as streamed, status } from '../ews/streaming/streams.ts';
import { NO_FIGURES, type Trial } from './law.ts';
import { canonical } from './shapes.ts';
import { contentOf } from './xmlContent.ts';
import { type Element, localName, treeOf, xmlOf } from './xmlTree.ts';

/** The operation of a response, and its envelopes. */
interface Document {
  readonly name: string;
  readonly operation: string;
  readonly envelopes: readonly Element[];
  readonly places: readonly Place[];
}

/** An element, or an attribute of it, and values that it may be damaged to; undefined removes it. */
interface Place {
  readonly key: string;
  readonly values: readonly (string | undefined)[];
}

/** A damaged document, and the number of bytes in each of its chunks. */
export interface DamagedXml {
  readonly document: Document;
  readonly damage: ReadonlyMap<string, string | undefined>;
  readonly pieceBytes: number;
}

const GONE = [undefined, ''];
const ELEMENTS: Readonly<Record<string, readonly (string | undefined)[]>> = {
  ...{ Header: GONE, ServerVersionInfo: GONE, ResponseCode: GONE, MessageText: GONE, MessageXml: GONE },
  ...{ DescriptiveLinkKey: GONE, Value: [...GONE, 'soon', '-5'], faultcode: GONE, faultstring: GONE },
  ...{ detail: GONE, Message: GONE, Watermark: GONE, PreviousWatermark: GONE, ErrorSubscriptionIds: GONE },
  ...{ ItemId: GONE, FolderId: GONE, ParentFolderId: GONE, OldItemId: GONE, OldFolderId: GONE },
  ...{
    OldParentFolderId: GONE,
    CreatedEvent: GONE,
    ModifiedEvent: GONE,
    MovedEvent: GONE,
    NewMailEvent: GONE,
  },
  ...{ StatusEvent: GONE, SharedEvent: GONE, FreeBusyChangedEvent: GONE, CopiedEvent: GONE },
  TimeStamp: [...GONE, 'now', '2026-13-45T25:61:00Z', '7 o’clock'],
  UnreadCount: [...GONE, '-1', 'many', '1.5', '0x10', '99999999999'],
  MoreEvents: [...GONE, 'TRUE', 'perhaps', '2'],
  ConnectionStatus: [...GONE, 'Half', 'closed'],
};
const ATTRIBUTES: Readonly<Record<string, readonly (string | undefined)[]>> = {
  ...{ Id: GONE, ChangeKey: [undefined], Name: GONE, Version: GONE, MajorVersion: [...GONE, 'x'] },
  ResponseClass: [...GONE, 'Maybe', 'success'],
};

function placesIn(element: Element, path: string): readonly Place[] {
  const { attributes, children } = element;
  const values = ELEMENTS[localName(element)];
  const own = values === undefined ? [] : [{ key: path, values }];
  const named = Object.keys(attributes).flatMap((name) => {
    const of = ATTRIBUTES[name];
    return of === undefined ? [] : [{ key: `${path}@${name}`, values: of }];
  });
  return [...own, ...named, ...children.flatMap((child, index) => placesIn(child, `${path}/${index}`))];
}

/** Returns the element as it is with the damage, if it is still there. */
function damaged(element: Element, path: string, damage: DamagedXml['damage']): readonly Element[] {
  const { name, attributes, children, text } = element;
  if (damage.has(path)) {
    const value = damage.get(path);
    return value === undefined ? [] : [{ name, attributes: {}, children: [], text: value }];
  }
  const remaining = Object.entries(attributes).map(([key, value]) => {
    const at = `${path}@${key}`;
    return [key, damage.has(at) ? damage.get(at) : value] as const;
  });
  return [
    {
      ...{ name, text },
      attributes: Object.fromEntries(
        remaining.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
      ),
      children: children.flatMap((child, index) => damaged(child, `${path}/${index}`, damage)),
    },
  ];
}

function document(operation: string, name: string, ...texts: readonly string[]): Document {
  const envelopes = texts.map(treeOf);
  const places = envelopes.flatMap((envelope, index) => placesIn(envelope, String(index)));
  return { operation, name, envelopes, places };
}

const OK = '<m:ResponseCode>NoError</m:ResponseCode>';
const EVENTS =
  itemEvent('CreatedEvent', 'W1') +
  itemEvent('MovedEvent', 'W2', '<t:OldItemId Id="I0"/><t:OldParentFolderId Id="F0" ChangeKey="K"/>') +
  '<t:ModifiedEvent><t:Watermark>W3</t:Watermark><t:TimeStamp>2026-11-22T04:08:59.585430935Z</t:TimeStamp>' +
  '<t:FolderId Id="F1"/><t:ParentFolderId Id="F"/><t:UnreadCount>38</t:UnreadCount></t:ModifiedEvent>' +
  '<t:CopiedEvent><t:TimeStamp>2026-11-22T04:09:00Z</t:TimeStamp><t:FolderId Id="F2"/>' +
  '<t:ParentFolderId Id="F"/><t:OldFolderId Id="F1"/><t:OldParentFolderId Id="F0"/></t:CopiedEvent>' +
  '<t:StatusEvent><t:Watermark>W5</t:Watermark></t:StatusEvent>' +
  '<t:SharedEvent><t:Watermark>W6</t:Watermark></t:SharedEvent>';

const DOCUMENTS: readonly Document[] = [
  document(
    ...(['Subscribe', 'the subscription'] as const),
    answer('Subscribe', `${OK}<m:SubscriptionId>S1</m:SubscriptionId><m:Watermark>W0</m:Watermark>`),
  ),
  document('Subscribe', 'a refusal', errorAnswer('Subscribe', 'ErrorAccessDenied')),
  document('Subscribe', 'a plain fault', plainFault('SOAP:Client', 'Not so.')),
  document('GetEvents', 'events', eventsAnswer(EVENTS, 'S1', true)),
  document(
    'GetEvents',
    'nothing new',
    eventsAnswer('<t:StatusEvent><t:Watermark>W1</t:Watermark></t:StatusEvent>'),
  ),
  document(
    ...(['GetEvents', 'a busy server'] as const),
    faultAnswer('ErrorServerBusy', 'Busy.', [
      ['BackOffMilliseconds', '297749'],
      ['Other', '1'],
    ]),
  ),
  document('Unsubscribe', 'the end', answer('Unsubscribe', OK)),
  document('Unsubscribe', 'the end of another', errorAnswer('Unsubscribe', 'ErrorSubscriptionNotFound')),
  document(
    ...(['GetStreamingEvents', 'a stream'] as const),
    streamed(status('OK')),
    streamed(`<m:Notifications>${notification(EVENTS)}${notification(EVENTS, 'S2')}</m:Notifications>`),
    streamed(`<m:Notifications>${notification(itemEvent('NewMailEvent', 'W9'))}</m:Notifications>`),
    streamed(status('Closed')),
  ),
  document('GetStreamingEvents', 'refused subscriptions', closed('ErrorInvalidSubscription', 'S1', 'S2')),
  document(
    ...(['GetStreamingEvents', 'a stream of grommunio'] as const),
    ...grommunioStream.split(/(?<=Envelope>)(?=<)/),
  ),
  document('SendNotification', 'a post', postedEvents('S1', ['W1', 'W2'])),
  document('SendNotification', 'a post of an error', postedError('S1', 'ErrorMissedNotificationEvents')),
];

/** Responses and posts with one to three members that are missing, empty, or of another type. */
export const damagedDocuments: fc.Arbitrary<DamagedXml> = fc
  .tuple(
    fc.nat(DOCUMENTS.length - 1),
    fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 3 }),
    fc.constantFrom(100_000, 900, 64, 7),
  )
  .map(([index, choices, pieceBytes]) => {
    const chosen = DOCUMENTS[index]!;
    const damage = choices.map(([where, how]): [string, string | undefined] => {
      const { key, values } = chosen.places[where % chosen.places.length]!;
      return [key, values[how % values.length]];
    });
    return { document: chosen, damage: new Map(damage), pieceBytes };
  });

/** The content of a message, as the law reads it. */
function readBy(message: StreamedMessage): object {
  if (message.type === 'unreadable') return { unreadable: message.problem.message };
  const { values } = message;
  const wait = values.get('BackOffMilliseconds');
  const waitMs = wait !== undefined && /^\d+$/.test(wait) ? Number(wait) : undefined;
  if (message.type === 'fault') {
    const { responseCode, faultCode } = message;
    const code =
      responseCode === undefined || responseCode === '' ? faultCode.replace(/^.*:/, '') : responseCode;
    return { faultCode: code === '' ? undefined : code, waitMs };
  }
  const { operation, responseClass, responseCode, subscriptionId, watermark, connectionStatus } = message;
  return {
    ...{ operation, responseClass, waitMs, subscriptionId, watermark, connectionStatus },
    responseCode: responseCode === '' ? undefined : responseCode,
    refused: message.errorSubscriptionIds,
    notifications: message.notifications.map(
      ({ subscriptionId: id, previousWatermark, moreEvents, events }) => ({
        ...{ subscriptionId: id, moreEvents },
        previousWatermark: previousWatermark === '' ? undefined : previousWatermark,
        events: events.map((event) => {
          const { timestamp, ...rest } = { timestamp: undefined, ...event };
          const isSame =
            timestamp === undefined ||
            +timestamp === Date.parse(String(event.type !== 'status' && event.timestampText));
          return { ...rest, ...(isSame ? {} : { timestamp }) };
        }),
      }),
    ),
  };
}

/** Returns the same of an operation that failed. */
function failedBy(error: unknown): object {
  if (!(error instanceof EwsError || error instanceof SoapFault)) return { error: String(error) };
  return { failed: error.code === '' ? undefined : error.code, waitMs: error.retryAfterMs };
}

/** Checks that only the damaged members of a document are missing, and that ill-typed ones are counted. */
export function readDamagedXml({
  document: { operation, envelopes },
  damage,
  pieceBytes,
}: DamagedXml): Promise<Trial> {
  const trees = envelopes.flatMap((envelope, index) => damaged(envelope, String(index), damage));
  const bytes = new TextEncoder().encode(
    trees.map((tree) => `<?xml version="1.0"?>${xmlOf(tree)}`).join('\n'),
  );
  let dropped = 0;
  const noteDropped = (members: number): void => {
    dropped += members;
  };
  const came = received(operation, bytes, pieceBytes, noteDropped);
  const contents = trees.map(contentOf);
  const want = contents
    .flatMap(({ messages }) => messages)
    .map((message) => expectedContent(operation, message));
  const breaches =
    canonical(came) === canonical(want) ? [] : [`${canonical(came)} in place of ${canonical(want)}`];
  const count = contents.reduce((sum, one) => sum + one.dropped, 0);
  if (dropped !== count) breaches.push(`${dropped} members were counted in place of ${count}`);
  const events = canonical(came).split('"type"').length - 1;
  return Promise.resolve({ breaches, figures: { ...NO_FIGURES, events, faults: damage.size } });
}

/** Returns the expected result: an error of a call, but a message of a stream or a post. */
function expectedContent(operation: string, message: object): object {
  const { faultCode, responseClass, responseCode, waitMs } = message as Readonly<Record<string, unknown>>;
  if (operation === 'GetStreamingEvents' || operation === 'SendNotification') return message;
  if (responseClass === 'Error') return { failed: responseCode, waitMs };
  return responseClass === undefined ? { failed: faultCode, waitMs } : message;
}

/** Returns the library's result for the body of a response or of a post. */
function received(
  operation: string,
  bytes: Uint8Array,
  pieceBytes: number,
  noteDropped: NonNullable<HttpResponse['noteDropped']>,
): readonly object[] {
  const came: object[] = [];
  const pieces = Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, index) =>
    bytes.subarray(index * pieceBytes, (index + 1) * pieceBytes),
  );
  const body$ = from(pieces);
  const transport: Transport = ({ url }) =>
    of({ ...{ status: 200, url, body$, noteDropped }, headers: headersFrom({ 'content-type': 'text/xml' }) });
  const call = { operation, url: 'https://mail.contoso.com/EWS/Exchange.asmx', envelope: '' };
  const messages$: Observable<EwsMessage | StreamedMessage> =
    operation === 'SendNotification'
      ? body$.pipe(parseMessages({ onDropped: noteDropped }))
      : operation === 'GetStreamingEvents'
        ? soapStream(transport, call)
        : soapCall(transport, call);
  messages$.subscribe({
    next: (message) => came.push(readBy(message)),
    error: (error: unknown) => came.push(failedBy(error)),
  });
  return came;
}

/** Describes the damage of a document in words. */
export function describeXmlDamage({
  document: { operation, name, envelopes },
  damage,
  pieceBytes,
}: DamagedXml): string {
  const lines = [...damage].map(
    ([key, value]) => `${key}: ${value === undefined ? 'nothing' : `"${value}"`}`,
  );
  const trees = envelopes.flatMap((envelope, index) => damaged(envelope, String(index), damage));
  return `${name} of ${operation}, in pieces of ${pieceBytes} bytes, with\n${lines.join('\n')}\n${trees.map(xmlOf).join('\n')}`;
}
