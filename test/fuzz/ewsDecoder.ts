import { of, toArray } from 'rxjs';
import { stepResult } from '../../lib/ews/discovery/stepResult.ts';
import { mailAddress } from '../../lib/ews/discovery/search.ts';
import { type AutodiscoverFormat } from '../../lib/ews/protocol/errors.ts';
import { parseMessages } from '../../lib/ews/protocol/parser.ts';
import { soapCall, soapStream } from '../../lib/ews/protocol/soap.ts';
import { deduplicate, postedMessages } from '../../lib/ews/push/sendNotification.ts';
import { interpretMessage } from '../../lib/ews/streaming/request.ts';
import {
  answer,
  envelope,
  errorAnswer,
  eventsAnswer,
  faultAnswer,
  itemEvent,
  notification,
  plainFault,
} from '../ews/answers.ts';
import { postedError, postedEvents } from '../ews/push/posted.ts';
import { responseOf } from './chunks.ts';
import { emittedBy } from './outcome.ts';
import type { Decoder, Sample } from './sample.ts';

const URL_OF_EWS = 'https://mail.contoso.com/EWS/Exchange.asmx';
const XML = 'text/xml; charset=utf-8';

const EVENTS =
  itemEvent('CreatedEvent', 'W1') +
  itemEvent('NewMailEvent', 'W2') +
  itemEvent('MovedEvent', 'W3', '<t:OldItemId Id="I0"/><t:OldParentFolderId Id="F0" ChangeKey="K"/>') +
  '<t:ModifiedEvent><t:Watermark>W4</t:Watermark><t:TimeStamp>2026-11-22T04:08:59.585430935Z</t:TimeStamp>' +
  '<t:FolderId Id="F1"/><t:ParentFolderId Id="F"/><t:UnreadCount>38</t:UnreadCount></t:ModifiedEvent>' +
  '<t:StatusEvent><t:Watermark>W5</t:Watermark></t:StatusEvent>' +
  '<t:SharedEvent><t:Watermark>W6</t:Watermark></t:SharedEvent>';

const streamed = (content: string, responseClass?: string): string =>
  answer('GetStreamingEvents', `<m:ResponseCode>NoError</m:ResponseCode>${content}`, responseClass);

/** Runs one operation with a prepared response. */
function called(operation: string, name: string, text: string, status = 200): Sample {
  return {
    name: `${name} of ${operation}`,
    text,
    read: (mutant, random) => {
      const transport = () => of(responseOf(mutant, random, { status, type: XML }));
      return emittedBy(soapCall(transport, { operation, url: URL_OF_EWS, envelope: '' }));
    },
  };
}

function streaming(name: string, text: string): Sample {
  return {
    name: `a stream with ${name}`,
    text,
    read: (mutant, random) => {
      const transport = () => of(responseOf(mutant, random, { type: XML }));
      const call = {
        operation: 'GetStreamingEvents',
        url: URL_OF_EWS,
        envelope: '',
      };
      return emittedBy(soapStream(transport, call)).map((message) => interpretMessage(message, call));
    },
  };
}

function posted(name: string, text: string): Sample {
  return {
    name: `a post of ${name}`,
    text,
    read: (mutant, random) => {
      const { body$ } = responseOf(mutant, random);
      const [messages = []] = emittedBy(body$.pipe(parseMessages({ depth: 32 }), toArray()));
      const first = deduplicate();
      const { messages: found, id } = postedMessages(messages);
      return found.map(({ notifications }) => [id, first(notifications)]);
    },
  };
}

function discovered(format: AutodiscoverFormat, name: string, text: string): Sample {
  return {
    name: `an answer of Autodiscover: ${name}`,
    text,
    read: (mutant, random) => {
      const step = {
        format,
        url: 'https://contoso.com/autodiscover',
        address: mailAddress('sara@contoso.com')!,
      };
      const type = format === 'json' ? 'application/json' : XML;
      return emittedBy(stepResult(step, responseOf(mutant, random, { type })));
    },
  };
}

const pox = (account: string): string =>
  '<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com/exchange/' +
  `autodiscover/responseschema/2006"><Response><Account>${account}</Account></Response></Autodiscover>`;

/** The decoders of EWS, Autodiscover and faults. */
export const EWS_DECODER: Decoder = {
  name: 'EWS',
  samples: [
    called('GetEvents', 'the answer', eventsAnswer(EVENTS)),
    called('GetEvents', 'an error', errorAnswer('GetEvents', 'ErrorSubscriptionNotFound')),
    called(
      'GetEvents',
      'a busy server',
      faultAnswer('ErrorServerBusy', 'Busy.', [['BackOffMilliseconds', '297749']]),
      500,
    ),
    called('Subscribe', 'a plain fault', plainFault('SOAP:Client', 'Not so.'), 500),
    called(
      'Subscribe',
      'the answer',
      answer(
        'Subscribe',
        '<m:ResponseCode>NoError</m:ResponseCode><m:SubscriptionId>S1</m:SubscriptionId><m:Watermark>W0</m:Watermark>',
      ),
    ),
    streaming(
      'events',
      streamed('<m:ConnectionStatus>OK</m:ConnectionStatus>') +
        streamed(`<m:Notifications>${notification(EVENTS)}${notification(EVENTS, 'S2')}</m:Notifications>`) +
        streamed('<m:ConnectionStatus>Closed</m:ConnectionStatus>'),
    ),
    streaming(
      'refused subscriptions',
      answer(
        'GetStreamingEvents',
        '<m:MessageText>It failed.</m:MessageText><m:ResponseCode>ErrorInvalidSubscription</m:ResponseCode>' +
          '<m:ErrorSubscriptionIds><m:SubscriptionId>S1</m:SubscriptionId></m:ErrorSubscriptionIds>' +
          '<m:ConnectionStatus>Closed</m:ConnectionStatus>',
        'Error',
      ) + faultAnswer('ErrorServerBusy'),
    ),
    posted('events', postedEvents('S1', ['W1', 'W2'])),
    posted('an error', postedError('S1', 'ErrorMissedNotificationEvents')),
    discovered(
      'pox',
      'the settings',
      pox(
        '<AccountType>email</AccountType><Protocol><Type>EXPR</Type><EwsUrl>https://a.contoso.com/EWS</EwsUrl>' +
          '</Protocol><Protocol Type="WEB"><Internal><OWAUrl>x</OWAUrl><Protocol><Type>EXCH</Type><ASUrl>' +
          'https://b.contoso.com/EWS</ASUrl></Protocol></Internal></Protocol>',
      ),
    ),
    discovered('pox', 'a redirect', pox('<Action>redirectAddr</Action><RedirectAddr>a@c.com</RedirectAddr>')),
    discovered(
      'pox',
      'an error',
      pox('').replace('<Account></Account>', '<Error><ErrorCode>500</ErrorCode></Error>'),
    ),
    discovered('json', 'the URL', '{"Protocol":"EWS","Url":"https://mail.contoso.com/EWS"}'),
    discovered('json', 'an error in JSON', '{"ErrorCode":"UserNotFound","ErrorMessage":"No such user."}'),
    called('Unsubscribe', 'no message', envelope('<m:UnsubscribeResponse/>')),
  ],
  wrappings: [
    ['<t:a>', '</t:a>'],
    ['<', '>'],
    ['<m:Notification>', '</m:Notification>'],
    ['<Protocol>', '</Protocol>'],
  ],
  words: [
    ...[
      '<!DOCTYPE a [<!ENTITY b "c">]>',
      '&b;',
      '&amp;',
      '&#0;',
      '&#x110000;',
      '&#xD800;',
      '&',
      '<![CDATA[',
      ']]>',
    ],
    ...[
      '<!--',
      '-->',
      '<?xml version="1.0"?>',
      '<?xml version="1.1"?>',
      '<?a',
      '?>',
      '</s:Body>',
      '</s:Envelope>',
    ],
    ...[
      '<s:Envelope>',
      '<Envelope',
      '<x:',
      '/>',
      'xmlns:a="b"',
      ' Id=',
      'Id="a" Id="b"',
      '<__proto__>',
      '<a:b:c>',
    ],
    ...[
      'ResponseClass="Error"',
      'ResponseClass="x"',
      'Name="__proto__"',
      '+275760-09-13T00:00:00.001Z',
      '<',
      ' a=',
    ],
  ],
};
