import { expect } from 'chai';
import { filter, firstValueFrom, toArray, take, lastValueFrom } from 'rxjs';
import type { Activity } from '../../../lib/core/transport/requestLog.ts';
import { pullNotifications } from '../../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { type Exchange } from '../../../lib/ews/session/session.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import { summarize } from '../../../lib/testing/ews/requests/readRequest.ts';
import { httpServer, type SpecServer } from '../../support/net/httpServer.ts';
import { answer, eventsAnswer, itemEvent } from '../answers.ts';
import { message, status, streamed } from '../streaming/streams.ts';

const OK = '<m:ResponseCode>NoError</m:ResponseCode>';
const ANSWERS: Readonly<Record<string, string>> = {
  Subscribe: answer('Subscribe', `${OK}<m:SubscriptionId>S1</m:SubscriptionId><m:Watermark>W0</m:Watermark>`),
  GetEvents: eventsAnswer(itemEvent('NewMailEvent', 'W1')),
  GetStreamingEvents: message(streamed('S1', 'NewMailEvent') + status('OK')),
  Unsubscribe: answer('Unsubscribe', OK),
};
const mail = { folders: ['inbox'], events: ['newMail'] } as const;

/** A response of the spec; undefined for the usual one. */
type Answering = (operation: string, count: number) => { code?: number; body: string } | undefined;

describe('An odd answer over real sockets', () => {
  let server: SpecServer | undefined;
  let asked: string[] = [];

  afterEach(async () => {
    await server?.close();
  });

  const serving = async (answering: Answering): Promise<Exchange> => {
    asked = [];
    server = await httpServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        const { operation = '' } = summarize(body);
        asked.push(operation);
        const count = asked.filter((one) => one === operation).length;
        const by = answering(operation, count);
        response.writeHead(by?.code ?? 200, by?.body === '' ? {} : { 'content-type': 'text/xml' });
        response.end(by?.body ?? ANSWERS[operation]);
      });
    });
    return connectExchange({ server: `${server.url}/EWS/Exchange.asmx`, retry: { initialMs: 1 } });
  };

  for (const [name, after] of [
    ['a comment', '\n<!-- served by 12 > 11 -->\n'],
    ['a processing instruction', '<?stamp 12?>'],
  ] as const) {
    for (const operation of ['Subscribe', 'GetEvents', 'GetStreamingEvents', 'Unsubscribe']) {
      it(`is read with ${name} after the envelope: ${operation}`, async () => {
        const exchange = await serving((one) =>
          one === operation ? { body: ANSWERS[one]! + after } : undefined,
        );
        const notify = operation === 'GetStreamingEvents' ? streamingNotifications : pullNotifications;
        expect(await firstValueFrom(notify(exchange, mail))).to.include({ type: 'newMail' });
        const { clean, outcomes } = await exchange.close();
        expect(clean).to.equal(true);
        expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Released']);
        expect(asked.filter((one) => one === 'Subscribe')).to.have.length(1);
        expect(asked.filter((one) => one === 'Unsubscribe')).to.have.length(1);
      });
    }
  }

  for (const operation of ['Subscribe', 'GetEvents', 'Unsubscribe']) {
    it(`is sent again after an empty 500: ${operation}`, async () => {
      const exchange = await serving((one, count) =>
        one === operation && count === 1 ? { code: 500, body: '' } : undefined,
      );
      const event = await firstValueFrom(
        pullNotifications(exchange, { ...mail, pollIntervalSeconds: 0.01 }).pipe(
          filter(({ type }) => type === 'newMail'),
        ),
      );
      expect(event).to.include({ type: 'newMail' });
      const { outcomes } = await exchange.close();
      // The server may have created a subscription before it failed.
      const expected = operation === 'Subscribe' ? ['Unknown', 'Released'] : ['Released'];
      expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(expected);
      expect(asked.filter((one) => one === operation)).to.have.length.above(1);
    });
  }

  it('brings every event if members are ill-typed, and counts these in activity$', async () => {
    const odd = eventsAnswer(
      '<t:ModifiedEvent><t:TimeStamp>now</t:TimeStamp><t:FolderId Id="F1"/><t:UnreadCount>-1</t:UnreadCount>' +
        `</t:ModifiedEvent>${itemEvent('NewMailEvent', 'W2')}`,
    );
    const exchange = await serving((one) => (one === 'GetEvents' ? { body: odd } : undefined));
    const activity = firstValueFrom(
      exchange.activity$.pipe(filter(({ dropped }: Activity) => dropped !== undefined)),
    );
    const events = await lastValueFrom(pullNotifications(exchange, mail).pipe(take(2), toArray()));
    expect(events[0]).to.deep.include({ type: 'modified', unreadCount: -1, folder: { id: 'F1' } });
    expect(events[1]).to.include({ type: 'newMail' });
    expect(await activity).to.include({ method: 'POST', status: 200, dropped: 1 });
    await exchange.close();
  });
});
