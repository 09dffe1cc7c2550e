import { expect } from 'chai';
import { DecodeError } from '../../../lib/core/errors.ts';
import type { ServerEvent } from '../../../lib/ews/protocol/events.ts';
import { messageParser } from '../../../lib/ews/protocol/parser.ts';
import {
  deduplicate,
  postedMessages,
  sendNotificationResult,
} from '../../../lib/ews/push/sendNotification.ts';
import type { EwsMessage, Notification } from '../../../lib/ews/protocol/messages.ts';
import { posted, postedError, postedEvents, postedMessage, sendNotification } from './posted.ts';

const read = (xml: string): EwsMessage[] => {
  const messages: EwsMessage[] = [];
  const parser = messageParser((message) => messages.push(message));
  parser.write(new TextEncoder().encode(xml));
  parser.end();
  return messages;
};

const mail = (watermark?: string): ServerEvent => ({
  type: 'newMail',
  subscriptionId: 'S1',
  timestamp: new Date(0),
  timestampText: '1970-01-01T00:00:00Z',
  item: { id: `I${watermark ?? ''}` },
  ...(watermark === undefined ? {} : { watermark }),
});
const status = (watermark: string): ServerEvent => ({ type: 'status', subscriptionId: 'S1', watermark });
const notification = (events: readonly ServerEvent[], skipped: readonly string[] = []): Notification => ({
  subscriptionId: 'S1',
  moreEvents: false,
  events,
  ...(skipped.length === 0 ? {} : { unknownWatermarks: skipped, unknownLastWatermark: skipped.at(-1)! }),
});
const marks = (events: readonly ServerEvent[]): (string | undefined)[] =>
  events.map(({ watermark }) => watermark);

describe('A SendNotification', () => {
  it('is answered as the schema says', () => {
    for (const answer of ['OK', 'Unsubscribe'] as const) {
      expect(sendNotificationResult(answer)).to.equal(
        '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">' +
          '<soap:Body><m:SendNotificationResult xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">' +
          `<m:SubscriptionStatus>${answer}</m:SubscriptionStatus></m:SendNotificationResult></soap:Body></soap:Envelope>`,
      );
    }
  });

  it('names its subscription, and brings its events', () => {
    const { id, messages } = postedMessages(read(postedEvents('S1', ['W1', 'W2'])));
    const [notification] = messages[0]!.notifications;
    expect(id).to.equal('S1');
    expect(marks(notification!.events)).to.deep.equal(['W1', 'W2']);
    expect(notification!.previousWatermark).to.equal('W0');
  });

  it('names the subscription of an error among the values', () => {
    const { id, messages } = postedMessages(read(postedError('S1', 'ErrorReadEventsFailed')));
    expect(id).to.equal('S1');
    expect(messages[0]).to.include({ responseClass: 'Error', responseCode: 'ErrorReadEventsFailed' });
  });

  it('may bring several messages for one subscription', () => {
    const { id, messages } = postedMessages(
      read(sendNotification(postedMessage('S1', ['W1']), postedMessage('S1', ['W2']))),
    );
    expect([id, messages.length]).to.deep.equal(['S1', 2]);
  });

  it('may name no subscription', () => {
    const xml = postedError('S1', 'ErrorServerBusy').replace('Name="SubscriptionId"', 'Name="Other"');
    expect(postedMessages(read(xml)).id).to.equal('');
  });

  const several: readonly [name: string, xml: string][] = [
    ['messages', sendNotification(postedMessage('S1', []), postedMessage('S2', []))],
    [
      'notifications of one message',
      postedEvents('S1', []).replace(
        '</m:Notification>',
        '</m:Notification><m:Notification><t:SubscriptionId>S2</t:SubscriptionId></m:Notification>',
      ),
    ],
    [
      'an error and its notification',
      postedEvents('S1', []).replace(
        '<m:Notification>',
        '<m:MessageXml><t:Value Name="SubscriptionId">S2</t:Value></m:MessageXml><m:Notification>',
      ),
    ],
  ];
  for (const [name, xml] of several) {
    it(`is refused if it names several subscriptions: ${name}`, () => {
      expect(() => postedMessages(read(xml))).to.throw(DecodeError, 'expected one SubscriptionId');
    });
  }

  const none: readonly [name: string, xml: string][] = [
    ['a body without an operation', posted('')],
    [
      'the answer of another operation',
      postedEvents('S1', ['W1']).replaceAll('SendNotification', 'GetEvents'),
    ],
    [
      'a fault',
      posted('<s:Fault xmlns:s="x"><faultcode>Client</faultcode><faultstring>no</faultstring></s:Fault>'),
    ],
  ];
  for (const [name, xml] of none) {
    it(`is refused if it is ${name}`, () => {
      expect(() => postedMessages(read(xml))).to.throw(DecodeError, 'expected SendNotification');
    });
  }
});

describe('deduplicate', () => {
  const cases: readonly [
    name: string,
    deliveries: readonly (readonly ServerEvent[])[],
    fresh: readonly (readonly (string | undefined)[])[],
    watermark: readonly (string | undefined)[],
  ][] = [
    [
      'should be fresh the first time, and known after that',
      [
        [mail('A'), mail('B')],
        [mail('A'), mail('B')],
      ],
      [['A', 'B'], []],
      ['B', undefined],
    ],
    [
      'should be fresh behind what is known',
      [[mail('A')], [mail('A'), mail('B'), mail('C')]],
      [['A'], ['B', 'C']],
      ['A', 'C'],
    ],
    [
      'should be known though it comes late, and never lead back',
      [[mail('A')], [mail('B')], [mail('A')], [status('A')], [mail('C')]],
      [['A'], ['B'], [], ['A'], ['C']],
      ['A', 'B', undefined, undefined, 'C'],
    ],
    [
      'should be a status each time: it says that the subscription stands',
      [[status('A')], [status('A')]],
      [['A'], ['A']],
      ['A', undefined],
    ],
    [
      'should be fresh always where it has no watermark',
      [[mail()], [mail()]],
      [[undefined], [undefined]],
      [undefined, undefined],
    ],
    [
      'should be fresh where events of one delivery have the same watermark',
      [[mail('A'), mail('A')]],
      [['A', 'A']],
      ['A'],
    ],
  ];
  for (const [name, deliveries, fresh, watermarks] of cases) {
    it(name, () => {
      const once = deduplicate();
      const found = deliveries.map((events) => once([notification(events)]));
      expect(found.map(({ events }) => marks(events))).to.deep.equal(fresh);
      expect(found.map(({ watermark }) => watermark)).to.deep.equal(watermarks);
    });
  }

  it('resumes after an event of a type that is not known', () => {
    const once = deduplicate();
    const first = notification([mail('A')], ['B', '']);
    expect(once([{ ...first, unknownLastWatermark: 'B' }])).to.include({ watermark: 'B' });
    // An event without a watermark cannot be recognised.
    expect(once([{ ...first, unknownLastWatermark: 'B' }])).to.deep.equal({
      events: [],
      watermark: undefined,
    });
    expect(once([notification([mail('A'), mail('C')])])).to.include({ watermark: 'C' });
    expect(once([notification([mail('A')], ['B'])])).to.include({ watermark: undefined });
    expect(once([notification([], ['D'])])).to.include({ watermark: 'D' });
  });

  it('remembers the last 500 watermarks', () => {
    const once = deduplicate();
    for (let mails = 0; mails < 501; mails += 1) once([notification([mail(`W${mails}`)])]);
    expect(once([notification([mail('W1')])]).events).to.have.length(0);
    expect(once([notification([mail('W0')])]).events).to.have.length(1);
  });
});
