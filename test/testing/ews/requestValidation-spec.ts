import { expect } from 'chai';
import {
  getEventsEnvelope,
  subscribeEnvelope,
  unsubscribeEnvelope,
} from '../../../lib/ews/protocol/envelope.ts';
import { ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { type EwsSimulatorOptions } from '../../../lib/testing/ews/options.ts';
import { head, inbox, send, message, subscribe } from './client.ts';

describe('The simulated Exchange server', () => {
  describe('reads requests by the schema', () => {
    const good = subscribeEnvelope(head, inbox);
    const broken: readonly [name: string, body: string][] = [
      ['no XML', 'subscribe!'],
      ['XML that breaks off', good.slice(0, -1)],
      ['no envelope', '<a/>'],
      ['no operation', good.replace(/<m:Subscribe>.*<\/m:Subscribe>/, '')],
      ['an unknown operation', good.replace(/m:Subscribe>/g, 'm:SubscribeAll>')],
      ['an operation of another namespace', good.replace(/m:Subscribe>/g, 't:Subscribe>')],
      [
        'the wrong order',
        good.replace(/(<t:FolderIds>.*<\/t:FolderIds>)(<t:EventTypes>.*<\/t:EventTypes>)/, '$2$1'),
      ],
      ['no events', good.replace(/<t:EventTypes>.*<\/t:EventTypes>/, '')],
      ['an unknown event', good.replace('NewMailEvent', 'OldMailEvent')],
      ['a status event', good.replace('NewMailEvent', 'StatusEvent')],
      ['no timeout', good.replace(/<t:Timeout>.*<\/t:Timeout>/, '')],
      ['a timeout of two days', good.replace('<t:Timeout>10<', '<t:Timeout>2880<')],
      ['an unknown element', good.replace('<t:Timeout>', '<t:More/><t:Timeout>')],
      ['a folder without an id', good.replace(' Id="inbox"', '')],
      ['another type of folder', good.replace(/t:DistinguishedFolderId/g, 't:Folder')],
      ['a streaming subscription', good.replace(/PullSubscriptionRequest/g, 'StreamingSubscriptionRequest')],
      [
        'GetEvents without a watermark',
        getEventsEnvelope(head, 'S', 'W').replace(/<m:Watermark>.*<\/m:Watermark>/, ''),
      ],
      [
        'two names to impersonate',
        unsubscribeEnvelope({ ...head, impersonate: { sid: 'a' } }, 'S').replace(
          '<t:SID>',
          '<t:SmtpAddress>b</t:SmtpAddress><t:SID>',
        ),
      ],
      [
        'another way to impersonate',
        unsubscribeEnvelope({ ...head, impersonate: { sid: 'a' } }, 'S').replace(/t:SID>/g, 't:Name>'),
      ],
    ];
    for (const [name, body] of broken) {
      it(`rejects ${name} with a fault`, () => {
        const { status, messages } = send(ewsSimulator(), body);
        expect(status).to.equal(500);
        expect(messages).to.have.length(1);
        expect(messages[0]).to.include({ type: 'fault', responseCode: 'ErrorSchemaValidation' });
      });
    }

    it('rejects an unknown version', () => {
      const { status, messages } = send(
        ewsSimulator(),
        unsubscribeEnvelope({ version: 'Exchange2030' }, 'S'),
      );
      expect(status).to.equal(500);
      expect(messages[0]).to.include({ responseCode: 'ErrorInvalidServerVersion' });
    });

    it('rejects a request for all folders and some, or for none', () => {
      const both = good.replace(
        '<m:PullSubscriptionRequest>',
        '<m:PullSubscriptionRequest SubscribeToAllFolders="true">',
      );
      const neither = good.replace(/<t:FolderIds>.*<\/t:FolderIds>/, '');
      for (const body of [both, neither]) {
        expect(message(send(ewsSimulator(), body))).to.include({
          responseCode: 'ErrorInvalidSubscriptionRequest',
        });
      }
    });

    it('rejects an unknown folder', () => {
      for (const folder of ['journal', { id: 'nothing' }]) {
        const body = subscribeEnvelope(head, { ...inbox, folders: [folder] });
        expect(message(send(ewsSimulator(), body))).to.include({ responseCode: 'ErrorFolderNotFound' });
      }
    });

    it('accepts the id of a folder', () => {
      const server = ewsSimulator();
      subscribe(server, { ...inbox, folders: [{ id: server.folderId('drafts') }] });
      expect(server.subscriptions[0]!.folders).to.deep.equal([server.folderId('drafts')]);
    });

    it('accepts other prefixes and no header', () => {
      const body =
        '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>' +
        '<Unsubscribe xmlns="http://schemas.microsoft.com/exchange/services/2006/messages">' +
        '<SubscriptionId>S1</SubscriptionId></Unsubscribe></Body></Envelope>';
      expect(message(send(ewsSimulator(), body))).to.include({ responseCode: 'ErrorSubscriptionNotFound' });
    });
  });

  describe('as an HTTP server', () => {
    const body = unsubscribeEnvelope(head, 'S1');
    const cases: readonly [name: string, more: Parameters<typeof send>[2], status: number][] = [
      ['another path', { path: 'https://exchange.example/EWS' }, 404],
      ['another method', { method: 'GET' }, 405],
      ['another type', { headers: { 'content-type': 'application/json' } }, 415],
      ['a path in lower case', { path: 'https://exchange.example/ews/exchange.asmx' }, 200],
    ];
    for (const [name, more, status] of cases) {
      it(`responds with ${status} to ${name}`, () => {
        expect(send(ewsSimulator(), body, more).status).to.equal(status);
      });
    }

    const signed: readonly [
      name: string,
      options: EwsSimulatorOptions,
      authorization: string | undefined,
      status: number,
    ][] = [
      ['no token', { token: 'a' }, undefined, 401],
      ['a wrong token', { token: 'a' }, 'Bearer b', 401],
      ['the token', { token: 'a' }, 'Bearer a', 200],
      ['no user', { basic: { username: 'a', password: 'b' } }, undefined, 401],
      ['a wrong password', { basic: { username: 'a', password: 'b' } }, `Basic ${btoa('a:c')}`, 401],
      ['the user', { basic: { username: 'a', password: 'b' } }, `Basic ${btoa('a:b')}`, 200],
      ['any request without a required user', {}, undefined, 200],
    ];
    for (const [name, options, authorization, status] of signed) {
      it(`responds with ${status} to ${name}`, () => {
        const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
        expect(send(ewsSimulator(options), body, { headers }).status).to.equal(status);
      });
    }

    it('requires the new token after a change', () => {
      const server = ewsSimulator({ token: 'a' });
      server.setToken('b');
      expect(send(server, body, { headers: { authorization: 'Bearer a' } }).status).to.equal(401);
      expect(send(server, body, { headers: { authorization: 'Bearer b' } }).status).to.equal(200);
    });

    it('logs requests without secrets', () => {
      const server = ewsSimulator();
      const impersonate = { smtpAddress: 'a@b.example' };
      send(server, getEventsEnvelope({ ...head, impersonate }, 'S1', 'W1'), {
        headers: { authorization: 'Bearer secret' },
      });
      send(server, 'nonsense');
      expect(server.requests).to.have.length(2);
      expect(server.requests[0]).to.deep.include({
        method: 'POST',
        path: '/EWS/Exchange.asmx',
        operation: 'GetEvents',
        subscriptionId: 'S1',
        watermark: 'W1',
        impersonated: { by: 'SmtpAddress', name: 'a@b.example' },
        status: 200,
      });
      expect(JSON.stringify(server.requests)).to.not.contain('secret');
      expect(server.requests[1]).to.deep.include({
        operation: undefined,
        subscriptionId: undefined,
        status: 500,
      });
    });
  });
});
