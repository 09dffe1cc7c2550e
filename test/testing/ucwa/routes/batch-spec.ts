import { expect } from 'chai';
import { mergeMap, timer } from 'rxjs';
import { NetworkError } from '../../../../lib/core/errors.ts';
import { type HttpRequest, readText } from '../../../../lib/core/transport/transport.ts';
import { serve } from '../../../../lib/testing/http/serve.ts';
import { BATCH_SHAPES } from '../../../../lib/testing/ucwa/routes/batch.ts';
import { ucwaSimulator, type UcwaSimulator } from '../../../../lib/testing/ucwa/simulator.ts';
import type { UcwaSimulatorOptions } from '../../../../lib/testing/ucwa/options.ts';
import { type ReadBatch, readBatch, writeBatch } from '../../../../lib/ucwa/protocol/multipart.ts';
import { inVirtualTime } from '../../../support/virtualTime.ts';

const ORIGIN = 'https://ucwa.example';
const APP = '/ucwa/oauth/v1/applications/101';
const SUBSCRIPTIONS = `${APP}/people/presenceSubscriptions`;
const BATCH = `${APP}/batch`;

interface Recorded {
  status: number | undefined;
  type: string | undefined;
  text: string | undefined;
  error: unknown;
}

function send({ transport }: UcwaSimulator, request: HttpRequest): Recorded {
  const recorded: Recorded = { status: undefined, type: undefined, text: undefined, error: undefined };
  transport(request)
    .pipe(
      mergeMap((response) => {
        recorded.status = response.status;
        recorded.type = response.headers.get('content-type');
        return readText(response, 'body');
      }),
    )
    .subscribe({
      next: (text) => (recorded.text = text),
      error: (error: unknown) => (recorded.error = error),
    });
  return recorded;
}

const json = (body: object): Pick<HttpRequest, 'headers' | 'body'> => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const request = (method: string, path: string, more: Partial<HttpRequest> = {}): HttpRequest => ({
  ...{ method, url: `${ORIGIN}${path}` },
  ...more,
});
const subscribing = (name: string): HttpRequest =>
  request('POST', SUBSCRIPTIONS, json({ duration: 10, uris: [`sip:${name}@contoso.com`] }));

function batchOf(parts: readonly HttpRequest[]): HttpRequest {
  const { contentType, body } = writeBatch(parts);
  return request('POST', BATCH, {
    headers: { authorization: 'Bearer t', 'content-type': contentType },
    body,
  });
}

const raw = (body: string, contentType = 'multipart/batching; boundary="x"'): HttpRequest =>
  request('POST', BATCH, { headers: { authorization: 'Bearer t', 'content-type': contentType }, body });

function started(options: UcwaSimulatorOptions = {}): UcwaSimulator {
  const server = ucwaSimulator({ mediumSeconds: 0, ...options });
  const identity = json({ culture: 'en-us', endpointId: '1', userAgent: 'spec' });
  const headers = { ...identity.headers, authorization: 'Bearer t' };
  send(server, request('POST', '/ucwa/oauth/v1/applications', { ...identity, headers }));
  return server;
}

const read = ({ type, text = '' }: Recorded): ReadBatch => readBatch(type, text)!;
const statuses = (recorded: Recorded): (number | undefined)[] =>
  read(recorded).parts.map((part) => part?.status);

describe('ucwaSimulator, for batches', () => {
  it('links to the batch resource', () => {
    const server = started();
    const shown = send(server, request('GET', APP, { headers: { authorization: 'Bearer t' } }));
    expect(JSON.parse(shown.text!)).to.have.nested.property('_links.batch.href', BATCH);
  });

  for (const batchShape of BATCH_SHAPES) {
    it(`executes the parts, and responds in order (${batchShape})`, () => {
      const server = started({ batchShape });
      const recorded = send(
        server,
        batchOf([
          subscribing('sara'),
          subscribing('bob'),
          request('DELETE', `${SUBSCRIPTIONS}/97b6bd66`),
          request('GET', `${SUBSCRIPTIONS}/none`),
        ]),
      );
      expect(recorded.status).to.equal(200);
      expect(statuses(recorded)).to.deep.equal([201, 201, 204, 404]);
      expect(JSON.parse(read(recorded).parts[1]!.body)).to.include({ id: '97b6bd67' });
      expect(read(recorded).parts[2]).to.include({ body: '' });
      expect(read(recorded).parts[3]?.headers).to.deep.equal({
        'content-type': 'application/json; charset=utf-8',
      });
      expect(server.presenceSubscriptions.map(({ uris }) => uris)).to.deep.equal([['sip:bob@contoso.com']]);
    });
  }

  it('logs one request with its parts', () => {
    const server = started();
    send(server, batchOf([subscribing('sara'), request('DELETE', `${SUBSCRIPTIONS}/97b6bd66`)]));
    expect(server.requests.map(({ path, status }) => [path, status])).to.deep.equal([
      ['/ucwa/oauth/v1/applications', 201],
      [BATCH, 200],
    ]);
    const [alone, together] = server.requests;
    expect(alone).not.to.have.property('parts');
    expect(together!.parts!.map(({ method, path, status }) => [method, path, status])).to.deep.equal([
      ['POST', SUBSCRIPTIONS, 201],
      ['DELETE', `${SUBSCRIPTIONS}/97b6bd66`, 204],
    ]);
    expect(together!.parts![0]!.headers).to.include({ authorization: 'Bearer …' });
  });

  it('responds to the pending GET after all parts', () => {
    const server = started();
    const waiting = send(
      server,
      request('GET', `${APP}/events?ack=1`, { headers: { authorization: 'Bearer t' } }),
    );
    expect(waiting.status).to.equal(undefined);
    send(server, batchOf([subscribing('sara'), subscribing('bob')]));
    expect(waiting.text!.match(/"added"/g)).to.have.length(4);
  });

  it('lets one part fail, or the whole batch', () => {
    const server = started();
    const isBob = ({ body = '' }: HttpRequest): boolean => body.startsWith('{') && body.includes('bob');
    server.failNext(1, { status: 503, headers: { 'retry-after': '7' } }, isBob);
    const recorded = send(server, batchOf([subscribing('sara'), subscribing('bob')]));
    expect(statuses(recorded)).to.deep.equal([201, 503]);
    expect(read(recorded).parts[1]?.headers).to.deep.equal({ 'retry-after': '7' });
    server.failNext(1, 'resetAfterActing', isBob);
    const broken = send(server, batchOf([subscribing('cleo'), subscribing('bob')]));
    expect(broken.status).to.equal(undefined);
    expect(broken.error).to.be.instanceOf(NetworkError);
    expect(server.presenceSubscriptions).to.have.length(3);
  });

  it('waits for a late part, and has the usual latency', () => {
    const server = started();
    inVirtualTime(() => {
      const slow = started({ latencyMs: 20 });
      server.failNext(1, { delayMs: 50 }, ({ method }) => method === 'DELETE');
      const recorded = send(
        server,
        batchOf([subscribing('sara'), request('DELETE', `${SUBSCRIPTIONS}/97b6bd66`)]),
      );
      timer(49).subscribe(() => expect(recorded.status).to.equal(undefined));
      timer(51).subscribe(() => expect(statuses(recorded)).to.deep.equal([201, 204]));
      timer(100).subscribe(() => {
        const late = send(slow, batchOf([subscribing('sara')]));
        timer(19).subscribe(() => expect(late.status).to.equal(undefined));
        timer(21).subscribe(() => expect(statuses(late)).to.deep.equal([201]));
      });
    });
  });

  it('lets the whole batch fail without executing it', () => {
    const server = started();
    server.failNext(1, { status: 429, headers: { 'retry-after': '3' } });
    const recorded = send(server, batchOf([subscribing('sara')]));
    expect(recorded.status).to.equal(429);
    expect(server.presenceSubscriptions).to.deep.equal([]);
    expect(server.requests.at(-1)).not.to.have.property('parts');
  });

  it('rejects too many parts without executing any', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => subscribing(`p${index}`));
    const server = started();
    expect(send(server, batchOf([...hundred, subscribing('sara')])).status).to.equal(429);
    expect(server.presenceSubscriptions).to.deep.equal([]);
    expect(statuses(send(server, batchOf(hundred)))).to.deep.equal(hundred.map(() => 201));
    const small = started({ maxBatchParts: 1 });
    expect(send(small, batchOf([subscribing('sara'), subscribing('bob')])).status).to.equal(429);
  });

  for (const step of ['batch', 'events?ack=1', 'photos/sara@contoso.com', 'me/photo']) {
    it(`rejects ${step} as a part, and executes the others`, () => {
      const server = started();
      const recorded = send(server, batchOf([request('GET', `${APP}/${step}`), subscribing('sara')]));
      expect(statuses(recorded)).to.deep.equal([409, 201]);
    });
  }

  it('accepts a token of a part, and requires one of the batch', () => {
    const server = ucwaSimulator({ token: 't' });
    const identity = json({ culture: 'en-us', endpointId: '1', userAgent: 'spec' });
    const headers = { ...identity.headers, authorization: 'Bearer t' };
    send(server, request('POST', '/ucwa/oauth/v1/applications', { ...identity, headers }));
    const part = (more: string): string =>
      `--x\r\nContent-Type: application/http; msgtype=request\r\n\r\nGET ${APP} HTTP/1.1\r\n${more}\r\n`;
    const body = `${part('')}\r\n${part('Authorization: Bearer other\r\n')}\r\n--x--`;
    const recorded = send(server, raw(body));
    expect(statuses(recorded)).to.deep.equal([200, 401]);
    expect(server.requests.at(-1)!.body).to.contain('Authorization: Bearer …\r\n').and.not.contain('other');
    const unsigned = { ...raw(body), headers: { 'content-type': 'multipart/batching; boundary="x"' } };
    expect(send(server, unsigned).status).to.equal(401);
  });

  const own = 'Content-Type: application/http; msgtype=request';
  const get = `GET ${APP} HTTP/1.1`;
  const shapes: readonly (readonly [string, string, number])[] = [
    ['a preamble, no end of line at the end', `hi\r\n--x\r\n${own}\r\n\r\n${get}\r\n\r\n\r\n--x--`, 200],
    ['an absolute target', `--x\r\n${own}\r\n\r\nGET ${ORIGIN}${APP} HTTP/1.1\r\n\r\n\r\n--x--`, 200],
    ['no closing boundary', `--x\r\n${own}\r\n\r\n${get}\r\n\r\n`, 400],
    ['no parts', '--x--', 400],
    ['another boundary', `--y\r\n${own}\r\n\r\n${get}\r\n\r\n\r\n--y--`, 400],
    ['line feeds alone', `--x\n${own}\n\n${get}\n\n\n--x--`, 400],
    ['a part of another type', `--x\r\nContent-Type: text/plain\r\n\r\n${get}\r\n\r\n\r\n--x--`, 400],
    ['a part without its own header', `--x\r\n\r\n${get}\r\n\r\n\r\n--x--`, 400],
    ['a malformed request line', `--x\r\n${own}\r\n\r\nGET${APP}HTTP/1.2\r\n\r\n\r\n--x--`, 400],
    ['a part after the last boundary', `--x\r\n${own}\r\n\r\n${get}\r\n\r\n--x\r\n${own}`, 400],
    ['a target that is not a URL', `--x\r\n${own}\r\n\r\nGET // HTTP/1.1\r\n\r\n\r\n--x--`, 400],
    ['a malformed header', `--x\r\n${own}\r\n\r\n${get}\r\nnothing\r\n\r\n\r\n--x--`, 400],
    ['a wrong length', `--x\r\n${own}\r\n\r\n${get}\r\nContent-Length: 3\r\n\r\nab\r\n--x--`, 400],
  ];
  const part = (...lines: string[]): string => lines.join('\r\n');
  const documented: readonly (readonly [string, string, readonly number[], string])[] = [
    [
      'BatchingRequests',
      part(
        ...['--x', own, '', `GET ${APP}/people/contacts HTTP/1.1`, 'Host: lyncweb.contoso.com'],
        ...['Accept: application/json', '', '--x', own, '', `GET ${APP}/me HTTP/1.1`],
        ...['Host: lyncweb.contoso.com', 'Accept: application/json', '', '--x--', ''],
      ),
      [200, 200],
      'multipart/batching;boundary=x',
    ],
    [
      'GroupingRequestsInABatch',
      part(
        ...['--x', own, '', `GET ${APP}/people/contacts HTTP/1.1`, 'Host: lyncweb.contoso.com'],
        ...['Accept: application/json', '', '--x', own, '', `GET ${APP}/me HTTP/1.1`],
        ...['Host: lyncweb.contoso.com', 'Accept: application/json', '', '', '--x', ''],
      ),
      [200, 200],
      'multipart/batching;boundary=x',
    ],
    [
      'batch_ref, for JSON',
      part(
        ...['--x', 'Content-Type : application/http;msgtype=request', 'Content-Length : 200', ''],
        ...[`GET${APP}/policiesHTTP/1.1`, 'Accept : application/vnd.microsoft.com.ucwa+json'],
        ...['Content-Type : application/vnd.microsoft.com.ucwa+json', 'Host : fe1.contoso.com', '', ''],
        ...['--x', 'Content-Type : application/http;msgtype=request', 'Content-Length : 201', ''],
        ...[`GET${APP}/me/phonesHTTP/1.1`, 'Accept : application/vnd.microsoft.com.ucwa+json'],
        ...['Content-Type : application/vnd.microsoft.com.ucwa+json', 'Host : fe1.contoso.com', '', ''],
        ...['--x--'],
      ),
      [200, 404],
      'multipart/batching;boundary="x"',
    ],
    [
      'batch_ref, for XML',
      part(
        ...['--x', own, 'Content-Length: 200', '', `GET ${APP}/policies HTTP/1.1`],
        ...['Accept: application/vnd.microsoft.com.ucwa+xml'],
        ...['Content-Type: application/vnd.microsoft.com.ucwa+xml', 'Host: fe1.contoso.com', '', ''],
        ...['--x', own, 'Content-Length: 201', '', `GET ${APP}/me/phones HTTP/1.1`],
        ...['Accept: application/vnd.microsoft.com.ucwa+xml'],
        ...['Content-Type: application/vnd.microsoft.com.ucwa+xml', 'Host: fe1.contoso.com', '', ''],
        ...['--x--'],
      ),
      [200, 404],
      'multipart/batching;boundary="x"',
    ],
  ];
  for (const [page, body, answers, contentType] of documented) {
    it(`executes a documented batch (${page})`, () => {
      const recorded = send(started(), raw(body, contentType));
      expect(recorded.status).to.equal(200);
      expect(statuses(recorded)).to.deep.equal(answers);
    });
  }

  it('writes the headers of its parts in the spelling of IIS', () => {
    const server = started();
    server.failNext(1, { status: 503, headers: { 'retry-after': '7' } }, ({ method }) => method === 'DELETE');
    const { text = '' } = send(server, batchOf([request('GET', `${APP}/me`), request('DELETE', APP)]));
    const heads = text.split('\r\n').filter((line) => /^[\w-]+:/.test(line));
    expect(heads).to.deep.equal([
      'Content-Type: application/http; msgtype=response',
      'Content-Type: application/json; charset=utf-8',
      'Content-Type: application/http; msgtype=response',
      'Retry-After: 7',
    ]);
  });

  for (const [name, body, status] of shapes) {
    it(`responds with ${status} to a batch with ${name}`, () => {
      expect(send(started(), raw(body)).status).to.equal(status);
    });
  }

  it('accepts only batches', () => {
    const server = started();
    expect(send(server, raw('{}', 'application/json')).status).to.equal(415);
    expect(send(server, { ...raw(''), method: 'GET' }).status).to.equal(405);
    expect(send(server, { ...raw(''), url: `${ORIGIN}/ucwa/oauth/v1/applications/7/batch` }).status).to.equal(
      404,
    );
  });

  it('works over real sockets', async () => {
    const server = started();
    const served = await serve(server.transport);
    const { contentType, body } = writeBatch([
      subscribing('zoë'),
      request('DELETE', `${SUBSCRIPTIONS}/97b6bd66`),
    ]);
    const response = await fetch(`${served.origin}${BATCH}`, {
      ...{ method: 'POST', body },
      headers: { authorization: 'Bearer t', 'content-type': contentType },
    });
    const answered = readBatch(response.headers.get('content-type') ?? '', await response.text());
    await served.close();
    expect(answered?.parts.map((part) => part?.status)).to.deep.equal([201, 204]);
    expect(server.presenceSubscriptions).to.deep.equal([]);
  });

  it('throws for invalid options', () => {
    expect(() => ucwaSimulator({ maxBatchParts: 0 })).to.throw(TypeError, 'maxBatchParts must be');
    expect(() => ucwaSimulator({ batchShape: 'odd' as 'plain' })).to.throw(TypeError, 'batchShape must be');
  });
});
