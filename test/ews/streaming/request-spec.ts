import { expect } from 'chai';
import { DecodeError } from '../../../lib/core/errors.ts';
import { interpretMessage, type StreamUpdate } from '../../../lib/ews/streaming/request.ts';
import { EwsError, SoapFault } from '../../../lib/ews/protocol/errors.ts';
import { type StreamedMessage, streamingParser } from '../../../lib/ews/protocol/streamParser.ts';
import { answer, envelope, faultAnswer, plainFault } from '../answers.ts';
import { closed, message, status, streamed } from './streams.ts';

const what = { operation: 'GetStreamingEvents', url: 'https://mail.example/EWS/Exchange.asmx' };

function readingOf(xml: string): StreamUpdate {
  const messages: StreamedMessage[] = [];
  const parser = streamingParser((each) => messages.push(each));
  parser.write(new TextEncoder().encode(xml));
  parser.end();
  expect(messages).to.have.length(1);
  return interpretMessage(messages[0]!, what);
}

/** Returns the parts of an update that are present. */
function gist({ notifications, refused, gap, decodeError: problem, error, isClosed }: StreamUpdate): string {
  const events = notifications.flatMap((one) =>
    one.events.map(({ type }) => `${one.subscriptionId}:${type}`),
  );
  return [
    ...events,
    refused === undefined ? '' : `refused ${refused.ids.join('+')} by ${refused.error.code}`,
    gap === undefined ? '' : `gap ${gap}`,
    problem === undefined ? '' : 'problem',
    error === undefined ? '' : `error ${error instanceof DecodeError ? 'of reading' : error.code}`,
    isClosed ? 'closed' : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}

const cases: readonly [name: string, xml: string, expected: string][] = [
  ['that it stands', message(status('OK')), ''],
  ['that it is closed', message(status('Closed')), 'closed'],
  ['nothing at all', message(''), ''],
  [
    'events',
    message(streamed('S1', 'CreatedEvent', 'NewMailEvent') + status('OK')),
    'S1:created, S1:newMail',
  ],
  ['a sign of life', message(streamed('S1', 'StatusEvent') + status('OK')), 'S1:status'],
  [
    'several notifications for one subscription, in their order',
    message(
      streamed('S1', 'CreatedEvent').replace('</m:Notifications>', '') +
        streamed('S1', 'DeletedEvent').replace('<m:Notifications>', ''),
    ),
    'S1:created, S1:deleted',
  ],
  [
    'events with the last word',
    message(streamed('S1', 'CreatedEvent') + status('Closed')),
    'S1:created, closed',
  ],
  [
    'that some are gone: closed counts for those',
    closed('ErrorInvalidSubscription', 'S1', 'S2'),
    'refused S1+S2 by ErrorInvalidSubscription',
  ],
  [
    'that some are gone, without saying why',
    message(
      `<m:ErrorSubscriptionIds><t:SubscriptionId>S1</t:SubscriptionId></m:ErrorSubscriptionIds>${status('OK')}`,
    ),
    'refused S1 by ErrorSubscriptionNotFound',
  ],
  [
    'that none is there, without naming them',
    closed('ErrorInvalidSubscription'),
    'error ErrorInvalidSubscription, closed',
  ],
  ['that it is busy, whoever is named', closed('ErrorServerBusy', 'S1'), 'error ErrorServerBusy, closed'],
  ['that events were lost', closed('ErrorMissedNotificationEvents', 'S1'), 'gap eventsMissed, closed'],
  [
    'that another connection was opened',
    closed('ErrorNewEventStreamConnectionOpened'),
    'error ErrorNewEventStreamConnectionOpened, closed',
  ],
  ['a fault', faultAnswer('ErrorServerBusy'), 'error ErrorServerBusy'],
  ['a fault of the other family', plainFault('SOAP:Client', 'E-3201'), 'error Client'],
  [
    'what another operation is answered',
    answer('GetEvents', '<m:ResponseCode>NoError</m:ResponseCode>'),
    'error of reading',
  ],
  ['what cannot be read', envelope('<m:X>&</m:X>'), 'gap unreadable, problem'],
];

describe('interpretMessage', () => {
  for (const [name, xml, expected] of cases) {
    it(`reads ${name}`, () => {
      expect(gist(readingOf(xml))).to.equal(expected);
    });
  }

  it('creates the same errors as other operations', () => {
    expect(readingOf(closed('ErrorAccessDenied')).error).to.be.instanceOf(EwsError);
    expect(readingOf(closed('ErrorAccessDenied', 'S1')).refused!.error.operation).to.equal(
      'GetStreamingEvents',
    );
    expect(readingOf(faultAnswer('ErrorServerBusy', 'x', [['BackOffMilliseconds', '7']])).error)
      .to.be.instanceOf(SoapFault)
      .and.include({ retryAfterMs: 7 });
  });
});
