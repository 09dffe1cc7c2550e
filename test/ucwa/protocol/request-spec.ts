import { expect } from 'chai';
import * as t from 'io-ts';
import { of, throwError } from 'rxjs';
import { DecodeError, HttpError, NetworkError } from '../../../lib/core/errors.ts';
import { headersFrom, type HttpRequest, type Transport } from '../../../lib/core/transport/transport.ts';
import { requestJson, requestNothing } from '../../../lib/ucwa/protocol/request.ts';

interface Sent {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Record<string, string>;
  readonly text?: string;
}

const server =
  ({ status = 200, type = 'application/json', headers = {}, text = '{"a":1}' }: Sent): Transport =>
  ({ url }) =>
    of({
      status,
      url,
      headers: headersFrom(type === '' ? headers : { ...headers, 'content-type': type }),
      body$: of(new TextEncoder().encode(text)),
    });

const GET = { method: 'GET', url: 'https://pool.contoso.com/thing?secret=1' };
const Thing = t.type({ a: t.number });

const ask = (transport: Transport): unknown => {
  let got: unknown;
  requestJson(transport, GET, Thing, 'thing').subscribe({
    next: ({ value }) => (got = value),
    error: (error: unknown) => (got = error),
  });
  return got;
};

const askNothing = (transport: Transport): unknown => {
  let got: unknown = 'nothing';
  requestNothing(transport, { ...GET, method: 'DELETE' }, 'thing').subscribe({
    next: () => (got = 'done'),
    error: (error: unknown) => (got = error),
  });
  return got;
};

describe('requestJson', () => {
  for (const type of [
    'application/json',
    'application/json; charset=utf-8',
    'application/vnd.microsoft.com.ucwa+json',
    '',
  ]) {
    it(`reads a response of type "${type}"`, () => {
      expect(ask(server({ type }))).to.deep.equal({ a: 1 });
    });
  }

  it('accepts JSON and sends a body as JSON', () => {
    const seen: HttpRequest[] = [];
    const transport: Transport = (request) => {
      seen.push(request);
      return server({})(request);
    };
    const body = { duration: 30 };
    requestJson(transport, { ...GET, method: 'POST', body, keepalive: true }, Thing, 'thing').subscribe();
    requestJson(transport, { ...GET, headers: { 'x-mine': '1' } }, Thing, 'thing').subscribe();
    expect(seen).to.deep.equal([
      {
        method: 'POST',
        url: GET.url,
        keepalive: true,
        headers: { accept: 'application/json', 'content-type': 'application/json' },
        body: '{"duration":30}',
      },
      { ...GET, headers: { accept: 'application/json', 'x-mine': '1' } },
    ]);
  });

  const notUcwa: readonly (readonly [string, Sent, string])[] = [
    [
      'the page of a proxy',
      { type: 'text/plain; charset=utf-8', text: 'token' },
      'text/plain, as from a proxy',
    ],
    ['XML, which was not asked for', { type: 'application/xml', text: '<a/>' }, 'application/xml'],
    ['malformed JSON', { text: '{"a":' }, 'malformed or incomplete JSON'],
    ['other JSON', { text: '{"a":"token"}' }, 'expected number at /a'],
  ];
  for (const [name, sent, message] of notUcwa) {
    it(`errors with a typed error for ${name}`, () => {
      const error = ask(server(sent));
      expect(error).to.be.instanceOf(DecodeError);
      expect((error as DecodeError).message).to.match(/^thing: /);
      expect((error as DecodeError).message).to.contain(message);
    });
  }

  for (const [name, sent, message] of [
    ['a web page', { type: 'text/html', text: '<html>token' }, 'a web page came in place of a response'],
    [
      'a web page as JSON',
      { text: '<!doctype html><html>token' },
      'as from a login page or a captive portal',
    ],
    ['no content', { text: '' }, 'the response is empty'],
    ['a blank response', { text: ' \r\n' }, 'the response is empty'],
  ] as const) {
    it(`errors as if without a network for ${name}`, () => {
      const error = ask(server(sent)) as NetworkError;
      expect(error).to.be.instanceOf(NetworkError);
      expect(error.message).to.contain(message).and.not.contain('token');
    });
  }

  it('never quotes the text of an unreadable response', () => {
    const error = ask(server({ text: 'token=s3cret' })) as Error;
    expect(error.message).not.to.contain('s3cret');
    expect(error.cause).to.equal(undefined);
  });

  it("reports a refusal with the server's codes and a remedy", () => {
    const text = JSON.stringify({ code: 'NotFound', subcode: 'ApplicationNotFound', message: 'private' });
    const error = ask(server({ status: 404, text })) as HttpError;
    expect(error).to.be.instanceOf(HttpError);
    expect(error).to.include({ status: 404, code: 'NotFound', subcode: 'ApplicationNotFound' });
    expect(error.message).to.equal(
      'GET https://pool.contoso.com/thing was answered 404 NotFound/ApplicationNotFound: there is no such ' +
        'application at this URL: it is wrong, or the application was deleted, lost, or has expired',
    );
  });

  it('reports the Retry-After of a busy server', () => {
    expect(ask(server({ status: 503, headers: { 'retry-after': '7' } }))).to.include({ retryAfterMs: 7000 });
  });

  for (const text of ['<html>', '', '{"error":"unsupported_grant_type"}', '7', 'x'.repeat(70_000)]) {
    it(`reports a refusal by its status without a readable body: ${text.slice(0, 10)}`, () => {
      const error = ask(server({ status: 502, text }));
      expect(error).to.be.instanceOf(HttpError);
      expect(error).to.include({ status: 502, code: undefined });
    });
  }

  it('reports a refusal whose body breaks off', () => {
    const error = ask((request) =>
      of({
        status: 500,
        url: request.url,
        headers: headersFrom({}),
        body$: throwError(() => new NetworkError('the answer broke off', request)),
      }),
    );
    expect(error).to.include({ status: 500 });
  });

  it('passes a network error on', () => {
    expect(ask((request) => throwError(() => new NetworkError('no answer', request)))).to.be.instanceOf(
      NetworkError,
    );
  });
});

describe('requestNothing', () => {
  it('completes after any successful response', () => {
    expect(askNothing(server({ status: 204, type: '', text: '' }))).to.equal('done');
    expect(askNothing(server({ status: 200 }))).to.equal('done');
  });

  it('rejects XML and web pages, which a proxy may have sent', () => {
    expect(askNothing(server({ type: 'text/xml', text: '<html/>' }))).to.be.instanceOf(DecodeError);
    expect(askNothing(server({ type: 'text/html', text: '<html/>' }))).to.be.instanceOf(NetworkError);
  });

  it('reports a refusal', () => {
    expect(askNothing(server({ status: 404, text: '{"code":"NotFound"}' }))).to.include({ status: 404 });
  });
});
