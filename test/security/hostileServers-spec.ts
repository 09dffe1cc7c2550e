import { expect } from 'chai';
import { once } from 'node:events';
import type { RequestListener, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { firstValueFrom, lastValueFrom, take } from 'rxjs';
import { DecodeError, HttpError, NetworkError } from '../../lib/core/errors.ts';
import { MOST_VALUES } from '../../lib/core/json.ts';
import type { Limits } from '../../lib/core/limits.ts';
import { EwsError } from '../../lib/ews/protocol/errors.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { httpServer, rawServer, type SpecServer } from '../support/net/httpServer.ts';
import { existingApplication } from '../../lib/ucwa/discovery/server.ts';

const MEGABYTE = 1024 * 1024;
const nested = (depth: number, before: string, after: string): string =>
  before.repeat(depth) + after.repeat(depth);
const JSON_TYPE = { 'content-type': 'application/json' };
const TOO_MANY = `at most ${MOST_VALUES} values`;
const XML_TYPE = { 'content-type': 'text/xml' };

describe('A hostile server over real sockets', () => {
  let server: SpecServer | undefined;

  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  /** Returns the UCWA resource that the library reads, or the error. */
  const getFrom = ({ url }: SpecServer, limits: Limits = {}): Promise<unknown> => {
    const ucwa = connectUcwa({
      server: existingApplication(`${url}/ucwa/v1/applications/1`),
      retry: { retries: 0 },
      limits,
    });
    return lastValueFrom(ucwa.get({ href: '/me' })).catch((error: unknown) => error);
  };

  /** Returns the error of an EWS subscription. */
  const subscribeAt = async ({ url }: SpecServer, limits: Limits = {}): Promise<unknown> => {
    const exchange = connectExchange({ server: `${url}/EWS/Exchange.asmx`, retry: { retries: 0 }, limits });
    const error = await firstValueFrom(
      pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }),
    ).catch((cause: unknown) => cause);
    await exchange.close({ timeoutMs: 0 });
    return error;
  };

  const answering =
    (headers: Record<string, string>, body: string | Buffer): RequestListener =>
    (request, response) => {
      request.resume().on('end', () => response.writeHead(200, headers).end(body));
    };

  /** Writes a chunk again and again until the client disconnects, and resolves with the number of bytes. */
  const endless = (response: ServerResponse, piece: Buffer): Promise<number> => {
    let written = 0;
    const write = (): void => {
      while (written < 64 * MEGABYTE) {
        written += piece.length;
        if (!response.write(piece)) return;
      }
      response.end();
    };
    response.on('drain', write);
    write();
    return once(response, 'close').then(() => written);
  };

  const json: readonly (readonly [string, string])[] = [
    ['resources nested 200,000 deep', `{"_embedded":{"a":${nested(200_000, '{"_embedded":{"a":', '}}')}}}`],
    ['lists nested 500,000 deep', nested(500_000, '[', ']')],
    ['links nested 500,000 deep', `{"_links":{"a":${nested(500_000, '[', ']')}}}`],
    ['half of a resource', '{"rel":"me"'],
  ];
  for (const [name, body] of json) {
    it(`causes a DecodeError by JSON with ${name}`, async () => {
      server = await httpServer(answering(JSON_TYPE, body));
      expect(await getFrom(server)).to.be.instanceOf(DecodeError);
    });
  }

  const wide: readonly (readonly [what: string, before: string, each: string, after: string])[] = [
    ['objects', '{"x":[', '{}', ']}'],
    ['objects beside __proto__', '{"__proto__":1,"x":[', '{}', ']}'],
    ['numbers for links', '{"_links":{"self":[', '1', ']}}'],
    ['numbers for resources', '{"_embedded":{"a":[', '1', ']}}'],
    ['resources without anything', '{"_embedded":{"a":[', '{}', ']}}'],
  ];
  for (const [what, before, each, after] of wide) {
    it(`causes a DecodeError by compressed JSON with a million ${what}`, async () => {
      const body = gzipSync(`${before}${`${each},`.repeat(999_999)}${each}${after}`, { level: 1 });
      server = await httpServer(answering({ ...JSON_TYPE, 'content-encoding': 'gzip' }, body));
      expect(await getFrom(server))
        .to.be.instanceOf(DecodeError)
        .with.property('expected', TOO_MANY);
    });
  }

  it('adds no property to other objects by JSON', async () => {
    const body = '{"__proto__":{"polluted":1},"_links":{"__proto__":{"href":"/a","polluted":1}},"rel":"me"}';
    server = await httpServer(answering(JSON_TYPE, body));
    const resource = (await getFrom(server)) as { readonly rel: string; readonly _links?: object };
    expect(resource.rel).to.equal('me');
    expect(Object.getPrototypeOf(resource)).to.equal(Object.prototype);
    expect(({} as { readonly polluted?: unknown }).polluted).to.equal(undefined);
  });

  const xml: readonly (readonly [string, string])[] = [
    ['entities that grow', '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'],
    ['an external entity', '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'],
    ['an external document type', '<!DOCTYPE a SYSTEM "http://evil.test/a.dtd"><a/>'],
    ['an unknown entity', '<a>&evil;</a>'],
    ['elements nested 100,000 deep', nested(100_000, '<a>', '</a>')],
    ['an element that never ends', '<a'],
  ];
  for (const [name, body] of xml) {
    it(`causes a DecodeError by XML with ${name}`, async () => {
      server = await httpServer(answering(XML_TYPE, body));
      const error = await subscribeAt(server);
      expect(error).to.be.instanceOf(DecodeError);
      expect(String(error)).to.not.contain('root:');
    });
  }

  it('is disconnected during endless JSON', async () => {
    let written: Promise<number> | undefined;
    server = await httpServer((_, response) => {
      response.writeHead(200, JSON_TYPE).write('["');
      written = endless(response, Buffer.alloc(65_536, 'x'));
    });
    expect(await getFrom(server, { responseBytes: MEGABYTE })).to.be.instanceOf(DecodeError);
    expect(await written).to.be.below(16 * MEGABYTE);
  });

  it('is disconnected during a body that expands', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * MEGABYTE, ' '));
    server = await httpServer(answering({ ...JSON_TYPE, 'content-encoding': 'gzip' }, bomb));
    expect(await getFrom(server, { responseBytes: MEGABYTE })).to.be.instanceOf(DecodeError);
  });

  it('is disconnected during an endless error', async () => {
    let written: Promise<number> | undefined;
    server = await httpServer((_, response) => {
      response.writeHead(400, JSON_TYPE).write('{"code":"');
      written = endless(response, Buffer.alloc(65_536, 'x'));
    });
    expect(await getFrom(server)).to.be.instanceOf(HttpError);
    expect(await written).to.be.below(16 * MEGABYTE);
  });

  it('causes a NetworkError by endless headers', async () => {
    server = await rawServer((socket) => {
      const write = (): void => {
        while (socket.write(`x-${'a'.repeat(1000)}: b\r\n`));
      };
      socket.write('HTTP/1.1 200 OK\r\n');
      socket.on('drain', write);
      write();
    });
    expect(await getFrom(server)).to.be.instanceOf(NetworkError);
    expect(await subscribeAt(server)).to.be.instanceOf(NetworkError);
  });

  for (const [what, head] of [
    ['no head', ''],
    ['a head and no body', 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n'],
  ] as const) {
    it(`causes a NetworkError in time if it sends ${what}`, async () => {
      const limits = { headersSeconds: 0.05, silenceSeconds: 0.05, responseSeconds: 0.2 };
      server = await rawServer((socket) => socket.write(head || '\r\n'));
      expect(await getFrom(server, limits)).to.be.instanceOf(NetworkError);
      expect(await subscribeAt(server, limits)).to.satisfy(
        (error: unknown) => error instanceof NetworkError || error instanceof DecodeError,
      );
    });
  }

  it('is followed through no more than 5 redirects', async () => {
    let requests = 0;
    server = await httpServer((request, response) => {
      requests += 1;
      request.resume().on('end', () => {
        response.writeHead(307, { location: `${request.url ?? ''}x` }).end();
      });
    });
    expect(await getFrom(server)).to.be.instanceOf(HttpError);
    expect(requests).to.equal(6);
    expect(await subscribeAt(server)).to.be.instanceOf(HttpError);
    expect(requests).to.equal(12);
  });

  it('gets at most 500 consecutive requests while it has events', async () => {
    const reply = (operation: string, content: string): string =>
      '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>' +
      `<${operation}Response><ResponseMessages><${operation}ResponseMessage ResponseClass="Success">` +
      `<ResponseCode>NoError</ResponseCode>${content}` +
      `</${operation}ResponseMessage></ResponseMessages></${operation}Response></Body></Envelope>`;
    const more = (id: string): string =>
      `<Notification><SubscriptionId>${id}</SubscriptionId><PreviousWatermark>W</PreviousWatermark>` +
      '<MoreEvents>true</MoreEvents><NewMailEvent><Watermark>W</Watermark>' +
      '<TimeStamp>2026-01-01T00:00:00Z</TimeStamp><ItemId Id="I"/><ParentFolderId Id="F"/></NewMailEvent>' +
      '</Notification>';
    let subscriptions = 0;
    const asked = { S1: 0, S2: 0 };
    server = await httpServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        response.writeHead(200, XML_TYPE);
        const id = body.includes('S2') ? 'S2' : 'S1';
        if (body.includes('<m:Subscribe>')) {
          subscriptions += 1;
          const made = `<SubscriptionId>S${subscriptions}</SubscriptionId><Watermark>W</Watermark>`;
          response.end(reply('Subscribe', made));
        } else if (body.includes('<m:GetEvents>')) {
          asked[id] += 1;
          response.end(reply('GetEvents', more(id)));
        } else response.end(reply('Unsubscribe', ''));
      });
    });
    const exchange = connectExchange({ server: `${server.url}/EWS/Exchange.asmx` });
    const mail$ = pullNotifications(exchange, {
      ...{ folders: ['inbox'], events: ['newMail'], pollIntervalSeconds: 300 },
    });
    await new Promise<void>((is500) => {
      let events = 0;
      mail$.subscribe(() => {
        events += 1;
        if (events === 500) is500();
      });
    });
    // Another subscription sends 100 requests meanwhile.
    await lastValueFrom(mail$.pipe(take(100)));
    const { S1 } = asked;
    await exchange.close();
    expect(S1).to.be.within(500, 502);
  });

  it('cannot put a code that is no word into an EwsError', async () => {
    const body =
      '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><m:SubscribeResponse xmlns:m="m">' +
      '<m:ResponseMessages><m:SubscribeResponseMessage ResponseClass="Error">' +
      '<m:MessageText>&#x9b;31m&#10;forged</m:MessageText><m:ResponseCode>Error&#10;X</m:ResponseCode>' +
      '</m:SubscribeResponseMessage></m:ResponseMessages></m:SubscribeResponse></s:Body></s:Envelope>';
    server = await httpServer(answering(XML_TYPE, body));
    const error = await subscribeAt(server);
    expect(error).to.be.instanceOf(EwsError);
    expect(String(error)).to.not.match(/[\p{Cc}]/u);
  });
});
