import { expect } from 'chai';
import { concat, of, throwError, timer } from 'rxjs';
import { NetworkError } from '../../lib/core/errors.ts';
import { headersFrom, type HttpResponse, type Transport } from '../../lib/core/transport/transport.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { streamingNotifications } from '../../lib/ews/streaming/streaming.ts';
import { ewsSimulator } from '../../lib/testing/ews/simulator.ts';
import { summarize } from '../../lib/testing/ews/requests/readRequest.ts';
import { serve } from '../../lib/testing/http/serve.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { answer, envelope, eventsAnswer, itemEvent } from './answers.ts';
import { fateOf, text, XML } from './fates.ts';
import { message, streamed } from './streaming/streams.ts';

const OPTIONS = { folders: ['inbox'], events: ['newMail'] } as const;
const encoder = new TextEncoder();

const laughs =
  '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">' +
  Array.from(
    { length: 9 },
    (_, level) => `<!ENTITY lol${level + 1} "${`&lol${level || ''};`.repeat(10)}">`,
  ).join('') +
  ']><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>&lol9;</s:Body></s:Envelope>';

describe('Bad input instead of events', () => {
  const bad: readonly [name: string, body: () => HttpResponse['body$'], contentType: string, says: RegExp][] =
    [
      [
        'a response for another operation',
        text(answer('Unsubscribe', '<m:ResponseCode>NoError</m:ResponseCode>')),
        XML,
        /UnsubscribeResponse/,
      ],
      [
        'a document type declaration',
        text('<!DOCTYPE x SYSTEM "file:///etc/passwd">', envelope('')),
        XML,
        /no document type declaration/,
      ],
      ['a billion laughs', text(laughs), XML, /no document type declaration|well-formed XML/],
    ];
  for (const kind of ['pull', 'stream'] as const) {
    for (const [name, body, contentType, says] of bad) {
      it(`causes an error of a ${kind}, without leftovers: ${name}`, () => {
        const { types, error, left, last } = fateOf(kind, body, contentType);
        expect(error).to.include({ _tag: 'DecodeError' });
        expect(error!.message).to.match(says);
        expect(types.filter((type) => type !== 'gap unreadable')).to.deep.equal([]);
        expect([left, last]).to.deep.equal([0, 'Unsubscribe']);
      });
    }
  }

  const pages: readonly [name: string, page: string, contentType: string][] = [
    ['HTML from a proxy', '<html><body>502', 'text/html'],
    ['a login page with 200', '<!DOCTYPE html><html><form/></html>', XML],
    ['a login page in XHTML', '<html xmlns="http://www.w3.org/1999/xhtml"/>', XML],
    ['a page that is not well-formed', '<html><body>&nbsp;', XML],
    ['a blank body', '\n', XML],
  ];
  for (const kind of ['pull', 'stream'] as const) {
    for (const [name, page, contentType] of pages) {
      it(`causes a retry of a ${kind}: ${name}`, () => {
        const { types, error, left } = fateOf(kind, text(page), contentType);
        expect(types.filter((type) => !type.startsWith('gap'))).to.deep.equal([]);
        expect([error, left]).to.deep.equal([undefined, 0]);
      });
    }
  }

  it('causes a retry without events in a pull: a truncated body', () => {
    const whole = encoder.encode(eventsAnswer(itemEvent('NewMailEvent', 'W1')));
    const cut = (): HttpResponse['body$'] =>
      concat(
        of(whole.subarray(0, whole.length - 40)),
        throwError(() => new NetworkError('the answer broke off', { method: 'POST', url: 'https://a/' })),
      );
    const { types, error, left } = fateOf('pull', cut);
    expect([types, error, left]).to.deep.equal([[], undefined, 0]);
  });

  it('causes a gap after complete events in a stream: a truncated body', () => {
    const server = ewsSimulator();
    const types: string[] = [];
    let streams = 0;
    const transport: Transport = (request) => {
      const { operation, subscriptionIds } = summarize(request.body ?? '');
      if (operation !== 'GetStreamingEvents' || ++streams > 1) return server.transport(request);
      const good = message(streamed(subscriptionIds![0]!, 'NewMailEvent'));
      const broken = throwError(() => new NetworkError('the answer broke off', request));
      const body$ = concat(of(encoder.encode(good + good.slice(0, 200))), broken);
      return of({ status: 200, url: request.url, headers: headersFrom({ 'content-type': XML }), body$ });
    };
    inVirtualTime(() => {
      const exchange = connectExchange({ server: server.url, transport });
      const watching = streamingNotifications(exchange, OPTIONS).subscribe(({ type }) => types.push(type));
      timer(20_000).subscribe(() => server.deliverMail());
      timer(30_000).subscribe(() => watching.unsubscribe());
    });
    expect(types).to.deep.equal(['newMail', 'gap', 'newMail']);
    expect(server.subscriptions).to.deep.equal([]);
  });

  it('causes a retry without losses and duplicates: a truncated chunked body', async () => {
    const server = ewsSimulator();
    const served = await serve(server.transport);
    const exchange = connectExchange({
      server: `${served.origin}/EWS/Exchange.asmx`,
      retry: { initialMs: 1 },
    });
    const mails: string[] = [];
    let polls = 0;
    await new Promise<void>((resolve, reject) => {
      pullNotifications(exchange, { ...OPTIONS, pollIntervalSeconds: 0.01 }).subscribe({
        next: (event) => {
          if (event.type === 'newMail') mails.push(event.item!.id);
          if (mails.length === 3) resolve();
          if (event.type !== 'status' || (polls += 1) > 1) return;
          for (let each = 0; each < 3; each += 1) server.deliverMail();
          for (const truncateAfterBytes of [0, 1, 700])
            server.failNext(1, { truncateAfterBytes }, 'GetEvents');
        },
        error: reject,
      });
    });
    expect(new Set(mails).size).to.equal(3);
    const { clean } = await exchange.close();
    await served.close();
    expect(clean).to.equal(true);
    expect(server.subscriptions).to.deep.equal([]);
  });
});
