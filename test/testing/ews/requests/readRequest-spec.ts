import { expect } from 'chai';
import { SchemaViolation } from '../../../../lib/testing/ews/requests/elements.ts';
import { summarize, readRequest } from '../../../../lib/testing/ews/requests/readRequest.ts';
import type { SubscribeRequest } from '../../../../lib/testing/ews/requests/subscribe.ts';

const NAMESPACES =
  'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
  'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" ' +
  'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"';
const INBOX = '<t:FolderIds><t:DistinguishedFolderId Id="inbox"/></t:FolderIds>';
const EVENTS = '<t:EventTypes><t:EventType>NewMailEvent</t:EventType></t:EventTypes>';

const envelope = (operation: string): string =>
  `<s:Envelope ${NAMESPACES}><s:Body>${operation}</s:Body></s:Envelope>`;
const pull = (parts: string, attributes = ''): string =>
  envelope(
    `<m:Subscribe><m:PullSubscriptionRequest${attributes}>${parts}</m:PullSubscriptionRequest></m:Subscribe>`,
  );
const push = (parts: string): string =>
  envelope(
    `<m:Subscribe><m:PushSubscriptionRequest>${INBOX}${EVENTS}${parts}</m:PushSubscriptionRequest></m:Subscribe>`,
  );
const inMailbox = (mailbox: string): string =>
  pull(
    `<t:FolderIds><t:DistinguishedFolderId Id="inbox"><t:Mailbox>${mailbox}</t:Mailbox>` +
      `</t:DistinguishedFolderId></t:FolderIds>${EVENTS}<t:Timeout>10</t:Timeout>`,
  );
const getFolder = (shape: string, ids = INBOX.replaceAll('t:FolderIds', 'm:FolderIds')): string =>
  envelope(`<m:GetFolder><m:FolderShape>${shape}</m:FolderShape>${ids}</m:GetFolder>`);
const subscribe = (body: string): SubscribeRequest => readRequest(body).request as SubscribeRequest;

describe('readRequest', () => {
  it('reads a mailbox with its name, its address and its types', () => {
    const { folders } = subscribe(
      inMailbox(
        '<t:Name>Sara</t:Name><t:EmailAddress>sara@contoso.example</t:EmailAddress>' +
          '<t:RoutingType>SMTP</t:RoutingType><t:MailboxType>Mailbox</t:MailboxType>',
      ),
    );
    expect(folders).to.deep.equal([{ id: 'inbox', distinguished: true, mailbox: 'sara@contoso.example' }]);
  });

  for (const [text, expected] of [
    ['1', true],
    ['true', true],
    [' true ', true],
    ['0', false],
    ['false', false],
  ] as const) {
    it(`reads SubscribeToAllFolders="${text}" as ${expected}`, () => {
      const folders = expected ? '' : INBOX;
      const attributes = ` SubscribeToAllFolders="${text}"`;
      expect(subscribe(pull(`${folders}${EVENTS}<t:Timeout>10</t:Timeout>`, attributes))).to.include({
        allFolders: expected,
      });
    });
  }

  it('reads CDATA as text', () => {
    const body = envelope(
      '<m:Unsubscribe><m:SubscriptionId>a<![CDATA[&b]]>c</m:SubscriptionId></m:Unsubscribe>',
    );
    expect(summarize(body).subscriptionId).to.equal('a&bc');
  });

  it('reads a push subscription with CallerData', () => {
    const { callback } = subscribe(
      push(
        '<t:StatusFrequency>5</t:StatusFrequency><t:URL>https://me.example/</t:URL><t:CallerData>x</t:CallerData>',
      ),
    );
    expect(callback).to.deep.equal({ url: 'https://me.example/', statusFrequencyMinutes: 5 });
  });

  for (const [text, minutes] of [
    ['10', 10],
    [' 010\n', 10],
    ['+1440', 1440],
  ] as const) {
    it(`reads the Timeout ${JSON.stringify(text)} as ${minutes} minutes`, () => {
      const body = pull(`${INBOX}${EVENTS}<t:Timeout>${text}</t:Timeout>`);
      expect(subscribe(body).timeoutMinutes).to.equal(minutes);
    });
  }

  it('reads the requested properties of a GetFolder', () => {
    const additional =
      '<t:AdditionalProperties><t:FieldURI FieldURI="folder:DisplayName"/></t:AdditionalProperties>';
    const propertiesOf = (shape: string): unknown => readRequest(getFolder(shape)).request;
    expect(propertiesOf(`<t:BaseShape>IdOnly</t:BaseShape>${additional}`)).to.deep.include({
      properties: ['folder:DisplayName'],
    });
    expect(propertiesOf('<t:BaseShape>Default</t:BaseShape>')).to.deep.include({ properties: undefined });
  });

  const timeout = '<t:Timeout>10</t:Timeout>';
  const refused: readonly [what: string, body: string][] = [
    ['empty FolderIds', pull(`<t:FolderIds/>${EVENTS}${timeout}`)],
    ['empty EventTypes', pull(`${INBOX}<t:EventTypes/>${timeout}`)],
    ...['0x10', '1e1', '10.0', '', 'ten', '0', '-1', '1441'].map((text): [string, string] => [
      `the Timeout ${JSON.stringify(text)}`,
      pull(`${INBOX}${EVENTS}<t:Timeout>${text}</t:Timeout>`),
    ]),
    ['an unknown distinguished folder', pull(`${INBOX.replace('inbox', 'inboxes')}${EVENTS}${timeout}`)],
    ['a distinguished folder in upper case', pull(`${INBOX.replace('inbox', 'Inbox')}${EVENTS}${timeout}`)],
    ['a mailbox whose address follows its type', inMailbox('<t:RoutingType/><t:EmailAddress/>')],
    ['a mailbox with an unknown element', inMailbox('<t:SmtpAddress>a@b.example</t:SmtpAddress>')],
    ['SubscribeToAllFolders="yes"', pull(`${EVENTS}${timeout}`, ' SubscribeToAllFolders="yes"')],
    ['CallerData of a pull subscription', pull(`${INBOX}${EVENTS}${timeout}<t:CallerData>x</t:CallerData>`)],
    [
      'a StatusFrequency of an hour in hex',
      push('<t:StatusFrequency>0x3C</t:StatusFrequency><t:URL>u</t:URL>'),
    ],
    ['a GetFolder of no folder', getFolder('<t:BaseShape>IdOnly</t:BaseShape>', '<m:FolderIds/>')],
    ['a GetFolder of an unknown shape', getFolder('<t:BaseShape>Everything</t:BaseShape>')],
    ['a ConvertId of no id', envelope('<m:ConvertId><m:SourceIds/></m:ConvertId>')],
    [
      'a ConvertId of an unknown type',
      envelope('<m:ConvertId><m:SourceIds><t:Id/></m:SourceIds></m:ConvertId>'),
    ],
  ];
  for (const [what, body] of refused) {
    it(`rejects ${what}`, () => {
      expect(() => readRequest(body)).to.throw(SchemaViolation);
    });
  }
});
