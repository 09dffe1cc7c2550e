import { expect } from 'chai';
import fc from 'fast-check';
import { isRight } from 'fp-ts/lib/Either.js';
import { concat, from, NEVER, of, take, throwError } from 'rxjs';
import { DecodeError } from '../../../lib/core/errors.ts';
import { eventCodec } from './eventCodec.ts';
import {
  envelopeReader,
  messageParser,
  parseMessages,
  type ParserOptions,
} from '../../../lib/ews/protocol/parser.ts';
import type { EwsMessage, ResponseMessage } from '../../../lib/ews/protocol/messages.ts';
import {
  answer,
  envelope,
  errorAnswer,
  eventsAnswer,
  faultAnswer,
  itemEvent,
  notification,
  plainFault,
  readItemEvent,
} from '../answers.ts';

const encoder = new TextEncoder();

function readAll(chunks: readonly (string | Uint8Array)[], options?: ParserOptions): EwsMessage[] {
  const messages: EwsMessage[] = [];
  const parser = messageParser((message) => messages.push(message), options);
  for (const chunk of chunks) parser.write(typeof chunk === 'string' ? encoder.encode(chunk) : chunk);
  parser.end();
  return messages;
}

function problemOf(chunks: readonly (string | Uint8Array)[], options?: ParserOptions): DecodeError {
  try {
    readAll(chunks, options);
  } catch (error) {
    expect(error).to.be.instanceOf(DecodeError);
    return error as DecodeError;
  }
  throw new Error('it was read');
}

const success = {
  type: 'response',
  responseClass: 'Success',
  responseCode: 'NoError',
  values: new Map(),
  notifications: [],
  errorSubscriptionIds: [],
};
const OK = '<m:ResponseCode>NoError</m:ResponseCode>';
const unsubscribed = answer('Unsubscribe', OK);
const undeclared = unsubscribed.slice(unsubscribed.indexOf('?>') + 2);
const readUnsubscribed = { ...success, operation: 'UnsubscribeResponse' };

const cases: readonly [name: string, chunks: readonly string[], expected: readonly object[]][] = [
  ['nothing', [], []],
  ['only white space', [' \n', '\uFEFF'], []],
  ['an answer of Unsubscribe', [unsubscribed], [readUnsubscribed]],
  ['a byte order mark before it', [`\uFEFF${unsubscribed}`], [readUnsubscribed]],
  ['a line before the declaration', [`\r\n${unsubscribed}\r\n`], [readUnsubscribed]],
  [
    'an answer of Subscribe',
    [answer('Subscribe', `${OK}<m:SubscriptionId>S1</m:SubscriptionId><m:Watermark>W1</m:Watermark>`)],
    [{ ...success, operation: 'SubscribeResponse', subscriptionId: 'S1', watermark: 'W1' }],
  ],
  [
    'events of types that are not known, which it counts, and whose watermark it keeps where they are last',
    [
      eventsAnswer(itemEvent('PinnedEvent', 'W1') + '<t:ArchivedEvent/>' + itemEvent('NewMailEvent', 'W2')),
      eventsAnswer(itemEvent('NewMailEvent', 'W1') + itemEvent('PinnedEvent', 'W2')),
    ],
    [
      {
        ...success,
        operation: 'GetEventsResponse',
        notifications: [
          {
            subscriptionId: 'S1',
            previousWatermark: 'W0',
            moreEvents: false,
            events: [readItemEvent('newMail', 'W2')],
            unknownWatermarks: ['W1', ''],
          },
        ],
      },
      {
        ...success,
        operation: 'GetEventsResponse',
        notifications: [
          {
            subscriptionId: 'S1',
            previousWatermark: 'W0',
            moreEvents: false,
            events: [readItemEvent('newMail', 'W1')],
            unknownWatermarks: ['W2'],
            unknownLastWatermark: 'W2',
          },
        ],
      },
    ],
  ],
  [
    'a server that breaks its schema, with other prefixes and none',
    [
      '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><GetEventsResponse xmlns="urn:m"><ResponseMessages>',
      '<q:x xmlns:q="urn:q" ResponseClass="Success"><q:ResponseCode>NoError</q:ResponseCode>',
      '<t:Notification xmlns:t="urn:t"><m:SubscriptionId xmlns:m="urn:m">S1</m:SubscriptionId><q:StatusEvent/></t:Notification>',
      '</q:x></ResponseMessages></GetEventsResponse></Body></Envelope>',
    ],
    [
      {
        ...success,
        operation: 'GetEventsResponse',
        notifications: [
          { subscriptionId: 'S1', moreEvents: false, events: [{ type: 'status', subscriptionId: 'S1' }] },
        ],
      },
    ],
  ],
  [
    'events of all types, in their order',
    [
      eventsAnswer(
        itemEvent('NewMailEvent', 'W1') +
          itemEvent('CreatedEvent', 'W2') +
          itemEvent('NewMailEvent', 'W3') +
          itemEvent('DeletedEvent', 'W4') +
          itemEvent('FreeBusyChangedEvent', 'W5') +
          '<t:StatusEvent><t:Watermark>W6</t:Watermark></t:StatusEvent>',
        'S1',
        true,
      ),
    ],
    [
      {
        ...success,
        operation: 'GetEventsResponse',
        notifications: [
          {
            subscriptionId: 'S1',
            previousWatermark: 'W0',
            moreEvents: true,
            events: [
              readItemEvent('newMail', 'W1'),
              readItemEvent('created', 'W2'),
              readItemEvent('newMail', 'W3'),
              readItemEvent('deleted', 'W4'),
              readItemEvent('freeBusyChanged', 'W5'),
              { type: 'status', subscriptionId: 'S1', watermark: 'W6' },
            ],
          },
        ],
      },
    ],
  ],
  [
    'what only some events hold: unread items, and where something was before',
    [
      eventsAnswer(
        '<t:ModifiedEvent><t:TimeStamp>2026-11-22T04:08:58.841263402Z</t:TimeStamp><t:FolderId Id="F1"/>' +
          '<t:ParentFolderId Id="F0"/><t:UnreadCount>37</t:UnreadCount></t:ModifiedEvent>' +
          itemEvent(
            'MovedEvent',
            'W1',
            '<t:OldItemId Id="I0"/><t:OldParentFolderId Id="F2" ChangeKey="K3"/>',
          ) +
          '<t:CopiedEvent><t:Watermark/><t:TimeStamp>2026-11-22T04:08:58Z</t:TimeStamp><t:FolderId Id="F1"/>' +
          '<t:OldFolderId Id="F3"/></t:CopiedEvent>',
      ),
    ],
    [
      {
        ...success,
        operation: 'GetEventsResponse',
        notifications: [
          {
            subscriptionId: 'S1',
            previousWatermark: 'W0',
            moreEvents: false,
            events: [
              {
                type: 'modified',
                subscriptionId: 'S1',
                timestamp: new Date('2026-11-22T04:08:58.841Z'),
                timestampText: '2026-11-22T04:08:58.841263402Z',
                folder: { id: 'F1' },
                parentFolder: { id: 'F0' },
                unreadCount: 37,
              },
              {
                ...readItemEvent('moved', 'W1'),
                oldItem: { id: 'I0' },
                oldParentFolder: { id: 'F2', changeKey: 'K3' },
              },
              {
                type: 'copied',
                subscriptionId: 'S1',
                timestamp: new Date('2026-11-22T04:08:58Z'),
                timestampText: '2026-11-22T04:08:58Z',
                folder: { id: 'F1' },
                oldFolder: { id: 'F3' },
              },
            ],
          },
        ],
      },
    ],
  ],
  [
    'elements that are not in the schema, with known names in them',
    [
      eventsAnswer(
        '<t:NewEvent><t:ItemId Id="X"/><t:CreatedEvent/></t:NewEvent><t:StatusEvent><t:Later><t:Watermark>X</t:Watermark></t:Later></t:StatusEvent>',
      ),
    ],
    [
      {
        ...success,
        operation: 'GetEventsResponse',
        notifications: [
          {
            subscriptionId: 'S1',
            previousWatermark: 'W0',
            moreEvents: false,
            events: [{ type: 'status', subscriptionId: 'S1' }],
            unknownWatermarks: [''],
          },
        ],
      },
    ],
  ],
  [
    'an error, with all that MessageXml says',
    [
      errorAnswer(
        'GetEvents',
        'ErrorServerBusy',
        'Try &amp; wait.',
        '<m:MessageXml><t:Value Name="Policy">P</t:Value><t:Value Name="BackOffMilliseconds">5000</t:Value><t:LineNumber>1</t:LineNumber></m:MessageXml>',
      ),
    ],
    [
      {
        ...success,
        operation: 'GetEventsResponse',
        responseClass: 'Error',
        responseCode: 'ErrorServerBusy',
        messageText: 'Try & wait.',
        values: new Map([
          ['Policy', 'P'],
          ['BackOffMilliseconds', '5000'],
          ['LineNumber', '1'],
        ]),
      },
    ],
  ],
  [
    'an answer without a class, text in CDATA, and numeric entities',
    [
      envelope(
        '<m:SubscribeResponse><m:ResponseMessages><m:x><m:ResponseCode>No<![CDATA[Error]]></m:ResponseCode>' +
          '<m:SubscriptionId>&#x53;&#49;</m:SubscriptionId></m:x></m:ResponseMessages></m:SubscribeResponse>',
      ),
    ],
    [{ ...success, operation: 'SubscribeResponse', subscriptionId: 'S1' }],
  ],
  [
    'a fault of Exchange',
    [
      faultAnswer('ErrorServerBusy', 'Busy.', [
        ['A', '1'],
        ['BackOffMilliseconds', '7'],
      ]),
    ],
    [
      {
        type: 'fault',
        faultCode: 'a:ErrorServerBusy',
        faultString: 'Busy.',
        responseCode: 'ErrorServerBusy',
        message: 'Busy.',
        values: new Map([
          ['A', '1'],
          ['BackOffMilliseconds', '7'],
        ]),
      },
    ],
  ],
  [
    'a fault without detail',
    [plainFault('SOAP:Client', 'E-3201: invalid subscription ID')],
    [
      {
        type: 'fault',
        faultCode: 'SOAP:Client',
        faultString: 'E-3201: invalid subscription ID',
        values: new Map(),
      },
    ],
  ],
  [
    'a streamed answer: notifications, dead ids, the state of the connection, each there or not',
    [
      answer(
        'GetStreamingEvents',
        `${OK}<m:Notifications>${notification('<t:StatusEvent/>', 'S1')}${notification('<t:StatusEvent/>', 'S1')}</m:Notifications>` +
          '<m:ErrorSubscriptionIds><SubscriptionId>S2</SubscriptionId><t:SubscriptionId>S3</t:SubscriptionId></m:ErrorSubscriptionIds>' +
          '<m:ConnectionStatus>Closed</m:ConnectionStatus>',
      ),
      answer('GetStreamingEvents', `${OK}<m:ConnectionStatus>OK</m:ConnectionStatus>`),
    ],
    [
      {
        ...success,
        operation: 'GetStreamingEventsResponse',
        notifications: [1, 2].map(() => ({
          subscriptionId: 'S1',
          previousWatermark: 'W0',
          moreEvents: false,
          events: [{ type: 'status', subscriptionId: 'S1' }],
        })),
        errorSubscriptionIds: ['S2', 'S3'],
        connectionStatus: 'Closed',
      },
      { ...success, operation: 'GetStreamingEventsResponse', connectionStatus: 'OK' },
    ],
  ],
  [
    'several envelopes in one chunk, with a declaration, without, and with white space between',
    [`${unsubscribed}${unsubscribed.replace(/^<\?.*?\?>/, '')} \r\n${unsubscribed}`],
    [readUnsubscribed, readUnsubscribed, readUnsubscribed],
  ],
  [
    'comments, declarations and spaces between envelopes',
    [`${unsubscribed}<!-- one -->\n${undeclared} \r`, `<?xml version="1.0"?><!-- two -->${undeclared}\r`],
    [readUnsubscribed, readUnsubscribed, readUnsubscribed],
  ],
  [
    'an envelope that ends in the middle of a chunk that ends in the middle of the next',
    [
      unsubscribed.slice(0, 200),
      `${unsubscribed.slice(200)}${unsubscribed.slice(0, 3)}`,
      unsubscribed.slice(3),
    ],
    [readUnsubscribed, readUnsubscribed],
  ],
  ['an operation without response messages', [envelope('<m:SubscribeResponse/>')], []],
  ['an empty envelope', ['<e:Envelope xmlns:e="urn:e"/>'], []],
];

describe('messageParser', () => {
  for (const [name, chunks, expected] of cases) {
    it(`reads ${name}`, () => {
      expect(readAll(chunks)).to.deep.equal(expected);
    });
  }

  it('reads the same messages however the bytes are cut', () => {
    const stream = cases.flatMap(([, chunks]) => chunks).join('');
    const bytes = encoder.encode(stream.replace('Try &amp; wait.', 'Bitte später 📮.'));
    const whole = readAll([bytes]);
    expect(whole).to.have.length(cases.reduce((sum, [, , expected]) => sum + expected.length, 0));
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 40 }), (cuts) => {
        const positions = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const chunks = positions.slice(1).map((end, index) => bytes.subarray(positions[index], end));
        expect(readAll(chunks)).to.deep.equal(whole);
      }),
      { numRuns: 100 },
    );
    const single = [...bytes].map((byte) => Uint8Array.of(byte));
    expect(readAll(single)).to.deep.equal(whole);
  });

  it('emits a message with the last byte of its envelope', () => {
    const messages: EwsMessage[] = [];
    const parser = messageParser((message) => messages.push(message));
    const bytes = encoder.encode(unsubscribed);
    parser.write(bytes.subarray(0, -1));
    expect(messages).to.have.length(0);
    parser.write(bytes.subarray(-1));
    expect(messages).to.have.length(1);
  });

  it('creates events that the codec accepts', () => {
    const events = cases
      .flatMap(([, chunks]) => readAll(chunks))
      .filter((message): message is ResponseMessage => message.type === 'response')
      .flatMap(({ notifications }) => notifications)
      .flatMap((one) => one.events);
    expect(events).to.have.length.above(10);
    for (const event of events) expect(isRight(eventCodec.decode(event)), event.type).to.equal(true);
  });

  it('is bounded for an unlimited number of prefixes', () => {
    const many = Array.from({ length: 600 }, (_, index) => `<p${index}:Unknown/>`).join('');
    expect(
      readAll([
        envelope(
          many +
            '<x:UnsubscribeResponse><y:ResponseMessages><z:z/></y:ResponseMessages></x:UnsubscribeResponse>',
        ),
      ]),
    ).to.have.length(1);
  });

  const afterwards: readonly [name: string, ...chunks: readonly string[]][] = [
    ['a comment', '\n<!-- served by 12 > 11 -->\n'],
    ['a comment in pieces', '<!-- serv', 'ed -->', ' \n'],
    ['a processing instruction', '<?stamp 12?>'],
    ['several of them', '<!-- a --><?b', ' c?> \n', '<!--d--', '>'],
  ];
  for (const [name, ...chunks] of afterwards) {
    it(`reads an envelope with ${name} after it`, () => {
      expect(readAll([unsubscribed, ...chunks])).to.deep.equal([readUnsubscribed]);
      expect(readAll([unsubscribed + chunks.join('')])).to.deep.equal([readUnsubscribed]);
      expect(readAll([unsubscribed, ...chunks, undeclared])).to.have.length(2);
    });
  }

  describe('given invalid input', () => {
    const bad: readonly [name: string, chunks: readonly string[], path: string, message: RegExp][] = [
      ['an HTML page', ['<!-- --><html><body/></html>'], '/html', /SOAP envelope .* proxy or login page/],
      ['text', ['Unauthorized'], '', /well-formed XML/],
      [
        'a closing tag of another element',
        [envelope('<a><b></a></b>')],
        '/Envelope/Body/a',
        /well-formed XML.*unexpected close tag/,
      ],
      [
        'an envelope that is closed by another name',
        ['<Envelope></Body>'],
        '',
        /well-formed XML.*unexpected close tag/,
      ],
      [
        'an envelope that is closed by another name, with the next behind it',
        [`<Envelope></Body>${unsubscribed}`],
        '',
        /well-formed XML.*unexpected close tag/,
      ],
      ['a document type', ['<!DOCTYPE x><x/>'], '', /no document type declaration/],
      [
        'entities of its own',
        ['<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'],
        '',
        /no document type declaration/,
      ],
      ['an undefined entity', [envelope('&nbsp;')], '/Envelope/Body', /well-formed XML.*undefined entity/],
      ['text after an envelope', [unsubscribed, 'x'], '', /well-formed XML/],
      [
        'a comment that breaks off',
        [unsubscribed, '<!-- a --><!-- b'],
        '',
        /expected the end of the document/,
      ],
      [
        'a comment before an element that breaks off',
        [unsubscribed, '<!-- a --><s:Env'],
        '',
        /the end of the/,
      ],
      [
        'an envelope that breaks off',
        [unsubscribed.slice(0, -3)],
        '/Envelope',
        /expected the end of the document/,
      ],
      [
        'events of no subscription',
        [eventsAnswer('<t:StatusEvent/>', '')],
        '/Envelope/Body/GetEventsResponse/ResponseMessages/GetEventsResponseMessage/Notification/StatusEvent',
        /a SubscriptionId before the events/,
      ],
      [
        'a notification of no subscription',
        [eventsAnswer('', '')],
        '/Envelope/Body/GetEventsResponse/ResponseMessages/GetEventsResponseMessage/Notification',
        /a SubscriptionId/,
      ],
    ];
    for (const [name, chunks, path, message] of bad) {
      it(`refuses ${name}, and names the path`, () => {
        const problem = problemOf(chunks, { subject: 'GetEvents response' });
        expect(problem.message)
          .to.match(message)
          .and.match(/^GetEvents response: /);
        expect(problem.path).to.equal(path);
      });
    }

    it('limits the depth', () => {
      const deep = envelope('<a>'.repeat(14) + '</a>'.repeat(14));
      expect(readAll([deep], { depth: 16 })).to.have.length(0);
      const deeper = envelope('<a>'.repeat(15) + '</a>'.repeat(15));
      expect(problemOf([deeper], { depth: 16 }).message).to.contain('at most 16 elements in one another');
    });

    it('limits the length of each envelope, but not of the stream', () => {
      const limit = { messageCharacters: unsubscribed.length };
      expect(readAll([unsubscribed + unsubscribed, unsubscribed], limit)).to.have.length(3);
      expect(problemOf([unsubscribed.replace('NoError', 'NoError ')], limit).message).to.contain('at most');
      expect(
        problemOf([unsubscribed.slice(0, 300), ' '.repeat(unsubscribed.length)], limit).message,
      ).to.contain('at most');
    });

    it('refuses an envelope of more than 10,000 response messages', () => {
      const many = (count: number): string =>
        answer('Subscribe', '').replace(/<(m:\w+Message) .*\1>/, '<x/>'.repeat(count));
      expect(readAll([many(10_000)])).to.have.length(10_000);
      expect(readAll([many(10_000), many(10_000)])).to.have.length(20_000);
      expect(problemOf([many(10_001)])).to.include({
        expected: 'at most 10000 response messages, faults, notifications, values and failed ids',
        path: '/Envelope/Body/SubscribeResponse/ResponseMessages/x',
      });
    });

    const parts: readonly [name: string, part: string, around: (parts: string) => string][] = [
      ['faults', '<Fault/>', envelope],
      ['notifications', notification(''), (all) => answer('GetStreamingEvents', all)],
      ['values', '<a/>', (all) => answer('Subscribe', `<m:MessageXml>${all}</m:MessageXml>`, 'Error')],
      [
        'failed ids',
        '<m:SubscriptionId/>',
        (all) => answer('GetStreamingEvents', `<m:ErrorSubscriptionIds>${all}</m:ErrorSubscriptionIds>`),
      ],
    ];
    for (const [name, part, around] of parts) {
      it(`refuses an envelope of more than 10,000 ${name}`, () => {
        expect(readAll([around(part.repeat(9_999))])).to.not.have.length(0);
        expect(problemOf([around(part.repeat(10_001))]).expected).to.contain(
          `at most 10000 response messages`,
        );
      });
    }

    it('refuses an element of more than 100 attributes', () => {
      const named = (count: number): string =>
        Array.from({ length: count }, (_, index) => `a${index}=""`).join(' ');
      const elements = (count: number): string => envelope(`<a ${named(count)}><b ${named(count)}/></a>`);
      expect(readAll([elements(100), elements(100)])).to.have.length(0);
      expect(problemOf([elements(101)])).to.include({
        expected: 'at most 100 attributes',
        path: '/Envelope/Body',
      });
    });

    it('counts attributes from the beginning after an element that broke off', () => {
      let messages: readonly EwsMessage[] = [];
      const reader = envelopeReader((read) => {
        messages = read;
        return false;
      });
      for (let times = 0; times < 101; times += 1) {
        reader.read('<a b="" ');
        reader.restart();
      }
      reader.read(unsubscribed);
      expect(messages).to.have.length(1);
    });

    it('never shows the content of a response', () => {
      const secret = 'TOPSECRET';
      for (const body of [
        eventsAnswer(`<t:NewMailEvent><t:ItemId Id="${secret}"/></t:NewMailEvent>`, ''),
        envelope(`<a>${secret}`),
        envelope(`&${secret};`),
        secret,
      ]) {
        expect(problemOf([body]).message).to.not.contain(secret);
      }
    });
  });
});

describe('A member of the wrong type', () => {
  /** Reads one answer, and counts the members that were dropped. */
  const readOne = (xml: string): [answer: ResponseMessage, dropped: number] => {
    let dropped = 0;
    const [message] = readAll([xml], { onDropped: (members) => (dropped += members) });
    return [message as ResponseMessage, dropped];
  };

  const time = '<t:TimeStamp>2026-11-22T04:08:58Z</t:TimeStamp>';
  const item = '<t:ItemId Id="I"/>';
  const read = {
    ...{ type: 'modified', subscriptionId: 'S1', timestamp: new Date('2026-11-22T04:08:58Z') },
    ...{ timestampText: '2026-11-22T04:08:58Z', item: { id: 'I' } },
  };
  const { timestamp, timestampText, item: id, ...bare } = read;
  const events: readonly [name: string, content: string, event: object, dropped: number][] = [
    ['no TimeStamp', item, { ...bare, item: id }, 0],
    ['an empty TimeStamp', `<t:TimeStamp/>${item}`, { ...bare, item: id }, 1],
    ['a TimeStamp that is a text', `<t:TimeStamp>now</t:TimeStamp>${item}`, { ...bare, item: id }, 1],
    ['no id', time, { ...bare, timestamp, timestampText }, 0],
    ['an ItemId without Id', `${time}<t:ItemId/>`, { ...bare, timestamp, timestampText }, 1],
    ['a ParentFolderId with an empty Id', `${time}${item}<t:ParentFolderId Id=""/>`, read, 1],
    [
      'an UnreadCount below zero',
      `${time}${item}<t:UnreadCount>-1</t:UnreadCount>`,
      { ...read, unreadCount: -1 },
      0,
    ],
    ['an UnreadCount that is a text', `${time}${item}<t:UnreadCount>many</t:UnreadCount>`, read, 1],
    ['an empty UnreadCount', `${time}${item}<t:UnreadCount/>`, read, 1],
    ['nothing', '', bare, 0],
  ];
  for (const [name, content, event, count] of events) {
    it(`costs an event that member only: ${name}`, () => {
      const newMail = itemEvent('NewMailEvent', 'W2');
      const [answered, dropped] = readOne(
        eventsAnswer(`<t:ModifiedEvent>${content}</t:ModifiedEvent>${newMail}`),
      );
      expect(answered.notifications[0]?.events).to.deep.equal([event, readItemEvent('newMail', 'W2')]);
      expect(dropped).to.equal(count);
    });
  }

  it('costs a notification only that there are more events', () => {
    const xml = eventsAnswer(itemEvent('NewMailEvent', 'W1')).replace('>false<', '>perhaps<');
    const [answered, dropped] = readOne(xml);
    expect(answered.notifications[0]).to.include({ subscriptionId: 'S1', moreEvents: false });
    expect(answered.notifications[0]?.events).to.have.length(1);
    expect(dropped).to.equal(1);
  });

  it('costs an answer its ConnectionStatus only', () => {
    const status = '<m:ConnectionStatus>Half</m:ConnectionStatus>';
    const [answered, dropped] = readOne(
      answer('GetStreamingEvents', `${OK}${notification(itemEvent('NewMailEvent', 'W1'))}${status}`),
    );
    expect(answered.notifications[0]?.events).to.have.length(1);
    expect(answered).not.to.have.property('connectionStatus');
    expect(dropped).to.equal(1);
  });

  const classes: readonly [attribute: string, code: string, responseClass: string, dropped: number][] = [
    [' ResponseClass="Maybe"', 'NoError', 'Success', 1],
    [' ResponseClass="Maybe"', 'ErrorServerBusy', 'Error', 1],
    [' ResponseClass=""', 'ErrorServerBusy', 'Error', 1],
    ['', 'ErrorServerBusy', 'Error', 0],
    ['', 'NoError', 'Success', 0],
    [' ResponseClass="Warning"', 'ErrorBatchProcessingStopped', 'Warning', 0],
  ];
  for (const [attribute, code, responseClass, count] of classes) {
    it(`leaves the class to the code: ${code} with${attribute === '' ? 'out a class' : attribute}`, () => {
      const xml = answer('Subscribe', `<m:ResponseCode>${code}</m:ResponseCode>`);
      const [answered, dropped] = readOne(xml.replace(' ResponseClass="Success"', attribute));
      expect(answered).to.include({ responseClass, responseCode: code });
      expect(dropped).to.equal(count);
    });
  }

  it('is the subscription if Subscribe brings an empty SubscriptionId', () => {
    const [answered] = readOne(answer('Subscribe', `${OK}<m:SubscriptionId/>`));
    expect(answered).not.to.have.property('subscriptionId');
  });
});

describe('parseMessages', () => {
  const bytes = encoder.encode(unsubscribed);

  it('emits complete messages before the error', () => {
    const seen: unknown[] = [];
    from([bytes, encoder.encode(`${unsubscribed}<html/>`)])
      .pipe(parseMessages())
      .subscribe({
        next: ({ type }) => seen.push(type),
        error: (error: unknown) => seen.push(error instanceof DecodeError),
      });
    expect(seen).to.deep.equal(['response', 'response', true]);
  });

  it('completes with its source, and errors in the middle of an envelope', () => {
    const seen: unknown[] = [];
    of(bytes)
      .pipe(parseMessages())
      .subscribe({ complete: () => seen.push('complete') });
    of(bytes.subarray(0, 30))
      .pipe(parseMessages())
      .subscribe({ error: ({ message }: Error) => seen.push(message) });
    expect(seen).to.deep.equal([
      'complete',
      'EWS response: expected the end of the document at the root, but there is the end of the body',
    ]);
  });

  it('errors with its source', () => {
    const broken = new Error('broken');
    let seen: unknown;
    concat(
      of(bytes.subarray(0, 30)),
      throwError(() => broken),
    )
      .pipe(parseMessages())
      .subscribe({ error: (error: unknown) => (seen = error) });
    expect(seen).to.equal(broken);
  });

  it('unsubscribes from its source in the middle of a chunk', () => {
    const seen: unknown[] = [];
    concat(of(encoder.encode(unsubscribed + unsubscribed)), NEVER)
      .pipe(parseMessages(), take(1))
      .subscribe({ next: ({ type }) => seen.push(type), complete: () => seen.push('complete') });
    expect(seen).to.deep.equal(['response', 'complete']);
  });
});

describe('onEvents', () => {
  function given(chunks: readonly string[]): { readonly early: string[]; readonly late: string[] } {
    const early: string[] = [];
    const late: string[] = [];
    const parser = messageParser(
      (message) => {
        const { notifications } = message as ResponseMessage;
        late.push(...notifications.flatMap(({ events }) => events.map(({ watermark }) => watermark ?? '')));
      },
      { onEvents: (events) => early.push(...events.map(({ watermark }) => watermark ?? '')) },
    );
    for (const chunk of chunks) parser.write(encoder.encode(chunk));
    return { early, late };
  }

  const marks = (count: number): string[] => Array.from({ length: count }, (_, index) => `W${index}`);
  const events = (count: number): string =>
    marks(count)
      .map((mark) => itemEvent('NewMailEvent', mark))
      .join('');

  it('gets events as soon as each is complete', () => {
    const [begun = '', rest = ''] = eventsAnswer(`${events(2)}<!--cut-->`).split('<!--cut-->');
    expect(given([begun])).to.deep.equal({ early: ['W0', 'W1'], late: [] });
    expect(given([begun.slice(0, -1)])).to.deep.equal({ early: ['W0'], late: [] });
    expect(given([begun, rest])).to.deep.equal({ early: ['W0', 'W1'], late: [] });
  });

  it('gets the first events of a long chunk, before the message', () => {
    const { early, late } = given([eventsAnswer(events(200))]);
    expect(early).to.have.length.within(150, 199);
    expect([...early, ...late]).to.deep.equal(marks(200));
  });

  it('gets no events of a second notification, which would overtake others', () => {
    const xml = answer('GetEvents', notification(events(100)) + notification(events(100), 'S2'));
    const { early, late } = given([xml]);
    expect(early.length).to.be.lessThan(100);
    expect([...early, ...late]).to.deep.equal([...marks(100), ...marks(100)]);
  });

  it('gets no events of an error', () => {
    const xml = answer('GetEvents', notification(events(100)), 'Error');
    expect(given([xml]).early).to.deep.equal([]);
  });
});
