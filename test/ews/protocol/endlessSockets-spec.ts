import { expect } from 'chai';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { filter, firstValueFrom } from 'rxjs';
import { DecodeError } from '../../../lib/core/errors.ts';
import type { ExchangeOptions } from '../../../lib/ews/options.ts';
import { pullNotifications } from '../../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { type Exchange } from '../../../lib/ews/session/session.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import { summarize } from '../../../lib/testing/ews/requests/readRequest.ts';
import { httpServer, type SpecServer } from '../../support/net/httpServer.ts';
import { answer, eventsAnswer, plainFault } from '../answers.ts';
import { message, status, streamed } from '../streaming/streams.ts';

const OK = '<m:ResponseCode>NoError</m:ResponseCode>';
const MEGABYTE = 1024 * 1024;
/** The server stops here, so that a client without limits does not exhaust this process. */
const MOST_BYTES = 48 * MEGABYTE;

const ANSWERS: Readonly<Record<string, string>> = {
  Subscribe: answer('Subscribe', `${OK}<m:SubscriptionId>S1</m:SubscriptionId>`),
  GetEvents: eventsAnswer('<t:StatusEvent/>'),
  GetStreamingEvents: message(streamed('S1', 'NewMailEvent') + status('OK')),
  Unsubscribe: answer('Unsubscribe', OK),
};
const mail = { folders: ['inbox'], events: ['newMail'] } as const;

describe('An endless answer over real sockets', () => {
  let server: SpecServer | undefined;
  let written = 0;
  /** Resolves when the connection is closed: whether the client has closed it. */
  let isLetGo: Promise<boolean>;

  afterEach(async () => {
    await server?.close();
  });

  /** Writes a text, then repeats another one as fast as it is read. */
  const writeOn = (response: ServerResponse, first: string, again: string): void => {
    const piece = again.repeat(Math.ceil(65_536 / again.length));
    const writeMore = (): void => {
      while (written < MOST_BYTES) {
        written += piece.length;
        if (!response.write(piece)) return;
      }
      response.end();
    };
    written = 0;
    isLetGo = once(response, 'close').then(() => written < MOST_BYTES);
    response.write(first);
    response.on('drain', writeMore);
    writeMore();
  };

  /** Serves EWS; the response to one operation never ends. */
  const serving = async (
    endless: string,
    write: (response: ServerResponse) => void,
    options: Partial<ExchangeOptions> = {},
    code = 200,
  ): Promise<Exchange> => {
    server = await httpServer((request, response) => {
      let asked = '';
      request.setEncoding('utf8').on('data', (text: string) => (asked += text));
      request.on('end', () => {
        const operation = summarize(asked).operation ?? '';
        response.writeHead(operation === endless ? code : 200, { 'content-type': 'text/xml' });
        if (operation === endless) write(response);
        else response.end(ANSWERS[operation]);
      });
    });
    return connectExchange({ server: `${server.url}/EWS/Exchange.asmx`, retry: { retries: 0 }, ...options });
  };

  const ended = async (exchange: Exchange): Promise<void> => {
    await exchange.close();
    expect(await isLetGo).to.equal(true);
    expect(written).to.be.below(16 * MEGABYTE);
  };

  it('brings the first envelope, and lets the others go', async () => {
    const exchange = await serving('Subscribe', (response) =>
      writeOn(response, ANSWERS['Subscribe']!, ANSWERS['Subscribe']!),
    );
    expect(await firstValueFrom(pullNotifications(exchange, mail))).to.include({ type: 'status' });
    const { outcomes } = await exchange.close();
    expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Released']);
    await ended(exchange);
  });

  it('brings the first fault, and lets what follows go', async () => {
    const fault = plainFault('s:Client', 'E-3201');
    const exchange = await serving('Subscribe', (response) => writeOn(response, fault, fault), {}, 500);
    const error = await firstValueFrom(pullNotifications(exchange, mail)).catch((thrown: unknown) => thrown);
    expect(error).to.include({ name: 'SoapFault', code: 'Client' });
    await ended(exchange);
  });

  for (const [limit, pattern] of [
    ['responseBytes', /at most 1000000 bytes/],
    ['messageCharacters', /at most 1000000 characters/],
  ] as const) {
    it(`is a DecodeError beyond ${limit}`, async () => {
      const exchange = await serving(
        'Subscribe',
        (response) => writeOn(response, '<s:Envelope>', '<a>b</a>'),
        {
          limits: { [limit]: 1_000_000 },
        },
      );
      const error = await firstValueFrom(pullNotifications(exchange, mail)).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).to.be.instanceOf(DecodeError).with.property('message').that.matches(pattern);
      await ended(exchange);
    });
  }

  const subscribe = '<s:Envelope><s:Body><m:SubscribeResponse';
  for (const [name, first, again, most] of [
    [
      'an envelope of more than 10,000 response messages',
      `${subscribe}><m:ResponseMessages>`,
      '<x/>',
      '10000',
    ],
    ['an element of more than 100 attributes', subscribe, ' a=""', '100 attributes'],
  ] as const) {
    it(`refuses ${name}`, async () => {
      const exchange = await serving('Subscribe', (response) => writeOn(response, first, again));
      const error = await firstValueFrom(pullNotifications(exchange, mail)).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).to.be.instanceOf(DecodeError).with.property('expected').that.contains(`at most ${most}`);
      await ended(exchange);
    });
  }

  it('may be a stream whose first envelope follows 12 MB of blanks', async () => {
    const writeBlanks = (response: ServerResponse): void => {
      response.write('<?xml version="1.0"?>');
      for (let megabytes = 0; megabytes < 12; megabytes += 1) response.write(' '.repeat(MEGABYTE));
      response.write(ANSWERS['GetStreamingEvents']!.replace(/^<\?xml.*?\?>/, ''));
    };
    const exchange = await serving('GetStreamingEvents', writeBlanks);
    const event = await firstValueFrom(
      streamingNotifications(exchange, mail).pipe(filter(({ type }) => type !== 'status')),
    );
    expect(event).to.include({ type: 'newMail' });
    await exchange.close();
  });
});
