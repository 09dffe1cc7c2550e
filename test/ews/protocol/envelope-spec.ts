import { expect } from 'chai';
import {
  type EnvelopeHead,
  getEventsEnvelope,
  getStreamingEventsEnvelope,
  type Impersonation,
  type PullSubscriptionRequest,
  type PushSubscriptionRequest,
  subscribeEnvelope,
  unsubscribeEnvelope,
} from '../../../lib/ews/protocol/envelope.ts';
import { readRequest } from '../../../lib/testing/ews/requests/readRequest.ts';

const head: EnvelopeHead = { version: 'Exchange2013_SP1' };
const pull: PullSubscriptionRequest = {
  type: 'pull',
  folders: ['inbox'],
  events: ['newMail'],
  watermark: undefined,
  timeoutMinutes: 10,
};
const START =
  '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"' +
  ' xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"' +
  ' xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">' +
  '<soap:Header><t:RequestServerVersion Version="Exchange2013_SP1"/></soap:Header><soap:Body>';
const END = '</soap:Body></soap:Envelope>';

describe('An envelope', () => {
  it('of a pull subscription has the elements of the schema, in order', () => {
    expect(subscribeEnvelope(head, { ...pull, watermark: 'W1' })).to.equal(
      `${START}<m:Subscribe><m:PullSubscriptionRequest><t:FolderIds><t:DistinguishedFolderId Id="inbox"/></t:FolderIds>` +
        '<t:EventTypes><t:EventType>NewMailEvent</t:EventType></t:EventTypes><t:Watermark>W1</t:Watermark>' +
        `<t:Timeout>10</t:Timeout></m:PullSubscriptionRequest></m:Subscribe>${END}`,
    );
  });

  it('of a streaming subscription has no watermark and no timeout', () => {
    expect(subscribeEnvelope(head, { type: 'streaming', folders: ['inbox'], events: ['newMail'] })).to.equal(
      `${START}<m:Subscribe><m:StreamingSubscriptionRequest><t:FolderIds><t:DistinguishedFolderId Id="inbox"/>` +
        '</t:FolderIds><t:EventTypes><t:EventType>NewMailEvent</t:EventType></t:EventTypes>' +
        `</m:StreamingSubscriptionRequest></m:Subscribe>${END}`,
    );
    const all = subscribeEnvelope(head, { type: 'streaming', folders: undefined, events: ['newMail'] });
    expect(all).to.contain('<m:StreamingSubscriptionRequest SubscribeToAllFolders="true"><t:EventTypes>');
  });

  it('of a push subscription has the status frequency and the URL', () => {
    const push: PushSubscriptionRequest = {
      type: 'push',
      folders: ['inbox'],
      events: ['newMail'],
      watermark: undefined,
      statusFrequencyMinutes: 5,
      callbackUrl: 'https://me.example/?a=b&c=d',
    };
    const rest =
      '<t:StatusFrequency>5</t:StatusFrequency><t:URL>https://me.example/?a=b&#38;c=d</t:URL>' +
      `</m:PushSubscriptionRequest></m:Subscribe>${END}`;
    const start =
      `${START}<m:Subscribe><m:PushSubscriptionRequest><t:FolderIds><t:DistinguishedFolderId Id="inbox"/></t:FolderIds>` +
      '<t:EventTypes><t:EventType>NewMailEvent</t:EventType></t:EventTypes>';
    expect(subscribeEnvelope(head, push)).to.equal(`${start}${rest}`);
    expect(subscribeEnvelope(head, { ...push, watermark: 'W1' })).to.equal(
      `${start}<t:Watermark>W1</t:Watermark>${rest}`,
    );
    expect(readRequest(subscribeEnvelope(head, { ...push, folders: undefined })).request).to.deep.include({
      type: 'push',
      allFolders: true,
      callback: { url: 'https://me.example/?a=b&c=d', statusFrequencyMinutes: 5 },
    });
  });

  it('of GetStreamingEvents has all ids and the connection timeout', () => {
    expect(getStreamingEventsEnvelope(head, ['S1', 'S&2'], 30)).to.equal(
      `${START}<m:GetStreamingEvents><m:SubscriptionIds><t:SubscriptionId>S1</t:SubscriptionId>` +
        '<t:SubscriptionId>S&#38;2</t:SubscriptionId></m:SubscriptionIds>' +
        `<m:ConnectionTimeout>30</m:ConnectionTimeout></m:GetStreamingEvents>${END}`,
    );
  });

  it('omits a missing watermark', () => {
    expect(subscribeEnvelope(head, pull)).to.not.contain('Watermark');
  });

  it('names no folders to watch all', () => {
    const envelope = subscribeEnvelope(head, { ...pull, folders: undefined });
    expect(envelope).to.contain('<m:PullSubscriptionRequest SubscribeToAllFolders="true"><t:EventTypes>');
  });

  it('names folders by id, by change key, and in another mailbox', () => {
    const envelope = subscribeEnvelope(head, {
      ...pull,
      folders: [
        { id: 'A' },
        { id: 'B', changeKey: 'C' },
        { distinguished: 'calendar' },
        { distinguished: 'inbox', mailbox: 'a@b.example' },
      ],
    });
    expect(envelope).to.contain(
      '<t:FolderIds><t:FolderId Id="A"/><t:FolderId Id="B" ChangeKey="C"/><t:DistinguishedFolderId Id="calendar"/>' +
        '<t:DistinguishedFolderId Id="inbox"><t:Mailbox><t:EmailAddress>a@b.example</t:EmailAddress></t:Mailbox>' +
        '</t:DistinguishedFolderId></t:FolderIds>',
    );
  });

  it('names every event by its element', () => {
    const events = [
      'created',
      'deleted',
      'modified',
      'moved',
      'copied',
      'newMail',
      'freeBusyChanged',
    ] as const;
    const { request } = readRequest(subscribeEnvelope(head, { ...pull, events }));
    expect(request).to.deep.include({
      events: [
        'CreatedEvent',
        'DeletedEvent',
        'ModifiedEvent',
        'MovedEvent',
        'CopiedEvent',
        'NewMailEvent',
        'FreeBusyChangedEvent',
      ],
    });
  });

  it('of GetEvents has the subscription and its watermark', () => {
    expect(getEventsEnvelope(head, 'S1', 'W1')).to.equal(
      `${START}<m:GetEvents><m:SubscriptionId>S1</m:SubscriptionId><m:Watermark>W1</m:Watermark></m:GetEvents>${END}`,
    );
  });

  it('of GetEvents has an empty watermark if the server sent none', () => {
    expect(getEventsEnvelope(head, 'S1', '')).to.contain('<m:Watermark></m:Watermark>');
  });

  it('of Unsubscribe has the subscription', () => {
    expect(unsubscribeEnvelope(head, 'S1')).to.equal(
      `${START}<m:Unsubscribe><m:SubscriptionId>S1</m:SubscriptionId></m:Unsubscribe>${END}`,
    );
  });

  const users: readonly [string, Impersonation][] = [
    ['PrincipalName', { principalName: 'a@b.example' }],
    ['SID', { sid: 'S-1-5-21' }],
    ['PrimarySmtpAddress', { primarySmtpAddress: 'a@b.example' }],
    ['SmtpAddress', { smtpAddress: 'a@b.example' }],
  ];
  for (const [by, impersonate] of users) {
    it(`names an impersonated user by ${by}`, () => {
      const { impersonated } = readRequest(unsubscribeEnvelope({ ...head, impersonate }, 'S1'));
      expect(impersonated).to.deep.equal({ by, name: Object.values(impersonate)[0] });
    });
  }

  it('escapes every value, so that none adds an element', () => {
    const evil = '"/><evil>&\'';
    const written = [
      subscribeEnvelope(
        { version: evil, impersonate: { sid: evil } },
        {
          ...pull,
          folders: [evil, { id: evil, changeKey: evil }, { distinguished: evil, mailbox: evil }],
          watermark: evil,
        },
      ),
      getEventsEnvelope(head, evil, evil),
      unsubscribeEnvelope(head, evil),
    ];
    for (const envelope of written) expect(envelope).to.not.contain('<evil>');
    const { request } = readRequest(getEventsEnvelope(head, evil, evil));
    expect(request).to.deep.equal({ operation: 'GetEvents', subscriptionId: evil, watermark: evil });
  });

  const unspeakable: readonly [string, () => string][] = [
    ['folders[1].id', () => subscribeEnvelope(head, { ...pull, folders: ['inbox', { id: '\u0001' }] })],
    [
      'folders[0].changeKey',
      () => subscribeEnvelope(head, { ...pull, folders: [{ id: 'A', changeKey: '\u0001' }] }),
    ],
    [
      'folders[0].mailbox',
      () => subscribeEnvelope(head, { ...pull, folders: [{ distinguished: 'inbox', mailbox: '\u0001' }] }),
    ],
    ['watermark', () => subscribeEnvelope(head, { ...pull, watermark: '\u0001' })],
    ['impersonate.sid', () => unsubscribeEnvelope({ ...head, impersonate: { sid: '\u0001' } }, 'S1')],
  ];
  for (const [option, write] of unspeakable) {
    it(`is not written if XML cannot carry ${option}`, () => {
      expect(write).to.throw(TypeError, 'must be text of characters that XML 1.0 can carry');
    });
  }
});
