import { expect } from 'chai';
import type { Socket } from 'node:net';
import {
  concat,
  defer,
  EMPTY,
  firstValueFrom,
  type Observable,
  of,
  Subject,
  throwError,
  asyncScheduler,
  from,
  interval,
  map,
  NEVER,
  tap,
} from 'rxjs';
import { DecodeError, HttpError, NetworkError } from '../../../lib/core/errors.ts';
import { fetchTransport } from '../../../lib/core/transport/fetch.ts';
import type { RequestProgress, Transport } from '../../../lib/core/transport/transport.ts';
import { EwsError, SoapFault } from '../../../lib/ews/protocol/errors.ts';
import {
  type SoapCall,
  soapCall,
  soapStream,
  type ResponseOptions,
  parseResponse,
} from '../../../lib/ews/protocol/soap.ts';
import type { ResponseMessage } from '../../../lib/ews/protocol/messages.ts';
import { rawServer } from '../../support/net/httpServer.ts';
import { type PreparedResponse, respondWith, response } from '../../support/responses.ts';
import {
  answer,
  envelope,
  errorAnswer,
  faultAnswer,
  plainFault,
  eventsAnswer,
  itemEvent,
} from '../answers.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

const XML = { 'content-type': 'text/xml; charset=utf-8' };
const call: SoapCall = {
  operation: 'Unsubscribe',
  url: 'https://mail.example/EWS/Exchange.asmx',
  envelope: '<request/>',
};
const success = answer('Unsubscribe', '<m:ResponseCode>NoError</m:ResponseCode>');

function outcome(
  given: PreparedResponse,
  more: Partial<SoapCall> = {},
): { value?: ResponseMessage; error?: unknown } {
  const result: { value?: ResponseMessage; error?: unknown } = {};
  soapCall(respondWith(given).transport, { ...call, ...more }).subscribe({
    next: (value) => (result.value = value),
    error: (error: unknown) => (result.error = error),
  });
  return result;
}

describe('A SOAP call', () => {
  it('POSTs the envelope as XML', () => {
    const { transport, requests } = respondWith(response(200, { headers: XML, body: [success] }));
    soapCall(transport, { ...call, headers: { 'x-anchormailbox': 'a@b.example' } }).subscribe();
    expect(requests).to.deep.equal([
      {
        method: 'POST',
        url: call.url,
        headers: {
          'content-type': 'text/xml; charset=utf-8',
          accept: 'text/xml',
          'x-anchormailbox': 'a@b.example',
        },
        body: '<request/>',
      },
    ]);
  });

  it('sends nothing before it is subscribed to, then once per subscriber', () => {
    const { transport, requests } = respondWith(response(200, { headers: XML, body: [success] }));
    const call$ = soapCall(transport, call);
    expect(requests).to.have.length(0);
    call$.subscribe();
    call$.subscribe();
    expect(requests).to.have.length(2);
  });

  it('passes keepalive and onProgress to the transport', () => {
    const { transport, requests } = respondWith(response(200, { headers: XML, body: [success] }));
    const onProgress = (): void => undefined;
    soapCall(transport, { ...call, keepalive: true, onProgress }).subscribe();
    expect(requests[0]).to.include({ keepalive: true, onProgress });
  });

  const readable: readonly [name: string, headers: Record<string, string>][] = [
    ['text/xml', XML],
    ['text/xml without charset', { 'content-type': 'text/xml' }],
    ['application/xml', { 'content-type': 'application/xml' }],
    ['application/soap+xml', { 'content-type': 'application/soap+xml; charset=utf-8' }],
    ['no type at all', {}],
  ];
  for (const [name, headers] of readable) {
    it(`reads a response of ${name}`, () => {
      const { value } = outcome(response(200, { headers, body: [success.slice(0, 99), success.slice(99)] }));
      expect(value).to.include({ operation: 'UnsubscribeResponse', responseCode: 'NoError' });
    });
  }

  it('treats a warning as a success', () => {
    const warned = answer('Unsubscribe', '<m:ResponseCode>NoError</m:ResponseCode>', 'Warning');
    expect(outcome(response(200, { headers: XML, body: [warned] })).value).to.include({
      responseClass: 'Warning',
    });
  });

  for (const status of [200, 500]) {
    it(`reads a fault with status ${status}`, () => {
      const full = outcome(response(status, { headers: XML, body: [faultAnswer('ErrorServerBusy')] }));
      expect(full.error).to.be.instanceOf(SoapFault).and.to.include({ code: 'ErrorServerBusy' });
      const plain = outcome(response(status, { headers: XML, body: [plainFault('SOAP:Client', 'E-3201')] }));
      expect(plain.error).to.be.instanceOf(SoapFault).and.to.include({ code: 'Client' });
    });
  }

  it('errors for a response of class Error', () => {
    const body = [errorAnswer('Unsubscribe', 'ErrorSubscriptionNotFound')];
    const { error } = outcome(response(200, { headers: XML, body }));
    expect(error).to.be.instanceOf(EwsError).and.to.include({
      code: 'ErrorSubscriptionNotFound',
      operation: 'Unsubscribe',
    });
  });

  const refused: readonly [name: string, body: string, message: RegExp][] = [
    ['an envelope with no response message', envelope('<m:UnsubscribeResponse/>'), /but there is none$/],
    ['the answer to another operation', answer('Subscribe', ''), /but there is SubscribeResponse$/],
    ['XML that breaks off', success.slice(0, -1), /the end of the document/],
  ];
  for (const [name, body, message] of refused) {
    it(`refuses ${name}`, () => {
      const { error, value } = outcome(response(200, { headers: XML, body: [body] }));
      expect(value).to.equal(undefined);
      expect(error).to.be.instanceOf(DecodeError).with.property('message').that.matches(message);
    });
  }

  for (const [name, body] of [
    ['a page', '<html/>'],
    ['a blank body', '\n'],
    ['no body', ''],
  ] as const) {
    it(`fails as without a network after ${name}`, () => {
      const { error } = outcome(response(200, { headers: XML, body: [body] }));
      expect(error)
        .to.be.instanceOf(NetworkError)
        .with.property('message')
        .that.matches(/a login page or a captive portal/);
    });
  }

  it('refuses what is not XML by its type, without reading it', () => {
    let wasRead = false;
    const body$ = defer(() => {
      wasRead = true;
      return EMPTY;
    });
    const page = { ...response(200, { headers: { 'content-type': 'text/plain; charset=utf-8' } }), body$ };
    const { error } = outcome(page);
    expect(error)
      .to.be.instanceOf(DecodeError)
      .with.property('message')
      .that.equals(
        'Unsubscribe response: expected a SOAP envelope in XML at the root, but there is text/plain: a proxy or login page in between?',
      );
    expect(wasRead).to.equal(false);
  });

  for (const status of [302, 400, 401, 403, 404, 413, 429, 456, 502, 503]) {
    it(`is an HttpError for status ${status}, whatever its body`, () => {
      const { error } = outcome(response(status, { headers: XML, body: [success] }));
      expect(error).to.be.instanceOf(HttpError).and.to.include({ status });
    });
  }

  it('has advice for a status, and the wait of the server', () => {
    expect(outcome(response(401)).error)
      .to.have.property('message')
      .that.contains('check the token');
    const busy = outcome(response(503, { headers: { 'retry-after': '7' } })).error;
    expect(busy).to.include({ retryAfterMs: 7000 });
  });

  it('is an HttpError for a status 500 of a proxy', () => {
    const html = outcome(response(500, { headers: { 'content-type': 'text/html' }, body: ['<html/>'] }));
    expect(html.error).to.be.instanceOf(HttpError);
    const broken = outcome(response(500, { headers: XML, body: ['<html/>'] }));
    expect(broken.error).to.be.instanceOf(HttpError).with.property('cause').that.is.instanceOf(DecodeError);
  });

  for (const [name, body] of [
    ['no body', []],
    ['a body of white space', [' \n']],
    ['an envelope without a message', [envelope('')]],
  ] as const) {
    it(`is an HttpError for a status 500 with ${name}`, () => {
      const { error } = outcome(response(500, { headers: { ...XML, 'retry-after': '7' }, body }));
      expect(error).to.be.instanceOf(HttpError).and.include({ status: 500, retryAfterMs: 7000 });
      expect(outcome(response(500, { body })).error).to.be.instanceOf(HttpError);
    });
  }

  it('errors without a response, and if it breaks off', () => {
    const lost = new NetworkError('no answer', { method: 'POST', url: call.url });
    const failing: Observable<never> = throwError(() => lost);
    expect(outcome(failing).error).to.equal(lost);
    expect(outcome({ ...response(200, { headers: XML }), body$: failing }).error).to.equal(lost);
    expect(outcome({ ...response(500, { headers: XML }), body$: failing }).error).to.equal(lost);
  });

  describe('that creates something', () => {
    const progressOf = (given: PreparedResponse): RequestProgress[] => {
      const progress: RequestProgress[] = [];
      outcome(given, { onProgress: (step) => progress.push(step) });
      return progress;
    };

    it('reports notProcessed if the server refuses in the envelope', () => {
      expect(
        progressOf(response(500, { headers: XML, body: [faultAnswer('ErrorServerBusy')] })),
      ).to.deep.equal(['notProcessed']);
      expect(
        progressOf(response(200, { headers: XML, body: [errorAnswer('Unsubscribe', 'ErrorX')] })),
      ).to.deep.equal(['notProcessed']);
    });

    it('does not report notProcessed without a readable response', () => {
      expect(progressOf(response(200, { headers: XML, body: ['<html/>'] }))).to.deep.equal([]);
      expect(progressOf(throwError(() => new Error('x')))).to.deep.equal([]);
      expect(progressOf(of(response(200, { headers: XML, body: [success] })))).to.deep.equal([]);
    });
  });
});

describe('A SOAP stream', () => {
  const streamCall = { ...call, operation: 'GetStreamingEvents' };
  const message = answer('GetStreamingEvents', '<m:ResponseCode>NoError</m:ResponseCode>');

  function seenOf(given: PreparedResponse): string[] {
    const seen: string[] = [];
    soapStream(respondWith(given).transport, streamCall).subscribe({
      next: ({ type }) => seen.push(type),
      error: (error: unknown) => seen.push(error instanceof Error ? error.name : 'another'),
      complete: () => seen.push('complete'),
    });
    return seen;
  }

  it('emits each message as it arrives, and completes with the body', () => {
    const chunks = new Subject<Uint8Array>();
    const seen: string[] = [];
    const { transport, requests } = respondWith({ ...response(200, { headers: XML }), body$: chunks });
    soapStream(transport, streamCall).subscribe({
      next: ({ type }) => seen.push(type),
      complete: () => seen.push('complete'),
    });
    const bytes = new TextEncoder().encode(message + message);
    chunks.next(bytes.subarray(0, message.length));
    expect(seen).to.deep.equal(['response']);
    chunks.next(bytes.subarray(message.length));
    expect(seen).to.deep.equal(['response', 'response']);
    chunks.complete();
    expect(seen).to.deep.equal(['response', 'response', 'complete']);
    expect(requests[0]!.headers).to.include({ 'accept-encoding': 'identity', accept: 'text/xml' });
  });

  it('continues after an unreadable envelope', () => {
    expect(
      seenOf(response(200, { headers: XML, body: [message, message.replace('NoError', '&'), message] })),
    ).to.deep.equal(['response', 'unreadable', 'response', 'complete']);
  });

  it('emits a fault, with status 200 and 500', () => {
    for (const status of [200, 500]) {
      expect(
        seenOf(response(status, { headers: XML, body: [faultAnswer('ErrorServerBusy')] })),
      ).to.deep.equal(['fault', 'complete']);
    }
  });

  it('errors for a response that is not a stream', () => {
    const html = { 'content-type': 'text/html' };
    expect(seenOf(response(503))).to.deep.equal(['HttpError']);
    expect(seenOf(response(500, { headers: XML, body: ['<html>'] }))).to.deep.equal(['HttpError']);
    expect(seenOf(response(500, { headers: XML }))).to.deep.equal(['HttpError']);
    expect(seenOf(response(500))).to.deep.equal(['HttpError']);
    expect(seenOf(response(500, { headers: html, body: ['<html>'] }))).to.deep.equal(['HttpError']);
    expect(seenOf(response(200, { headers: html, body: ['<html>'] }))).to.deep.equal(['DecodeError']);
  });

  it('errors if it breaks off, after the complete messages', () => {
    const broken = throwError(
      () => new NetworkError('the answer broke off', { method: 'POST', url: call.url }),
    );
    const body$ = concat(of(new TextEncoder().encode(message)), broken);
    expect(seenOf({ ...response(200, { headers: XML }), body$ })).to.deep.equal(['response', 'NetworkError']);
  });
});

describe('An HTTP connection that received a fault', () => {
  const discards = (
    status: number,
    body: string,
    call$: (transport: Transport) => Observable<unknown>,
  ): number => {
    let discarded = 0;
    const answered = {
      ...response(status, { headers: XML, body: [body] }),
      discardConnection: () => (discarded += 1),
    };
    call$(respondWith(answered).transport).subscribe({ error: () => undefined });
    return discarded;
  };
  const calling = (transport: Transport): Observable<unknown> => soapCall(transport, call);
  const streaming = (transport: Transport): Observable<unknown> => soapStream(transport, { ...call });

  it('is not used again, whatever the status', () => {
    for (const status of [200, 500]) {
      expect(discards(status, faultAnswer('ErrorServerBusy'), calling)).to.equal(1);
      expect(discards(status, plainFault('SOAP:Client', 'x'), calling)).to.equal(1);
      expect(discards(status, plainFault('SOAP:Client', 'x'), streaming)).to.equal(1);
    }
  });

  it('is used again after any other response', () => {
    expect(discards(200, success, calling)).to.equal(0);
    expect(discards(200, errorAnswer('Unsubscribe', 'ErrorServerBusy'), calling)).to.equal(0);
  });

  it('never gives the next request an unsolicited response', async () => {
    const asked: string[] = [];
    const http = (body: string): string =>
      `HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    let connections = 0;
    let faulty: Socket | undefined;
    const server = await rawServer((socket) => {
      const connection = (connections += 1);
      const answerOne = (): void => {
        asked.push(`on ${connection}`);
        socket.write(http(faulty === undefined ? plainFault('SOAP:Client', 'E-3201') : success));
        faulty ??= socket;
      };
      answerOne();
      socket.on('data', answerOne);
    });
    const transport = fetchTransport();
    const fromServer = { ...call, url: server.url, envelope: '' };
    const fault = await firstValueFrom(soapCall(transport, fromServer)).catch((error: unknown) => error);
    expect(fault).to.be.instanceOf(SoapFault);
    const unasked = http(errorAnswer('Unsubscribe', 'ErrorSubscriptionNotFound'));
    await new Promise<unknown>((resolve) => faulty!.write(unasked, resolve));
    await new Promise(setImmediate);
    const next = await firstValueFrom(soapCall(transport, fromServer));
    expect(next.responseCode).to.equal('NoError');
    expect(asked).to.deep.equal(['on 1', 'on 2']);
    await server.close();
  });
});

const encoder = new TextEncoder();
const unsubscribed = answer('Unsubscribe', '<m:ResponseCode>NoError</m:ResponseCode>');
const bytes = (...texts: readonly string[]): Observable<Uint8Array> =>
  from(texts.map((text) => encoder.encode(text)));
const broken = throwError(
  () => new NetworkError('the answer broke off', { method: 'POST', url: 'https://a.b/' }),
);
const trickle = interval(100).pipe(map(() => Uint8Array.of(32)));

/** The emitted values with their milliseconds, and how the body ended. */
function seen(body$: Observable<Uint8Array>, options?: ResponseOptions): string[] {
  const log: string[] = [];
  const at = (what: string): number => log.push(`${what} at ${asyncScheduler.now()}`);
  const watched = body$.pipe(
    tap({ unsubscribe: () => at('let go'), complete: () => at('read to its end') }),
    parseResponse(options),
  );
  inVirtualTime(() => {
    watched.subscribe({
      next: (messages) => at(messages.map(({ type }) => type).join() || 'no message'),
      error: (error: unknown) => at(error instanceof Error ? error.name : 'another'),
    });
  });
  return log;
}

describe('parseResponse', () => {
  const ignored: readonly [name: string, after: string][] = [
    ['nothing', ''],
    ['white space', ' \r\n'],
    ['a comment', '<!-- served by 12 -->'],
    ['a processing instruction', '<?stamp 12?>'],
    ['the beginning of a comment', '<!-- ser'],
    ['text', 'Bad Gateway'],
    ['a document type', '<!DOCTYPE html>'],
    ['another envelope', unsubscribed],
    ['a fault', plainFault('s:Server', 'late')],
    ['half of an envelope', unsubscribed.slice(0, 200)],
  ];
  for (const [name, after] of ignored) {
    it(`emits the first envelope before ${name}, wherever the body is cut`, () => {
      const expected = ['read to its end at 0', 'response at 0'];
      const whole = unsubscribed + after;
      for (const cut of [
        whole.length,
        unsubscribed.length,
        unsubscribed.length - 1,
        unsubscribed.length + 1,
        40,
      ]) {
        expect(seen(bytes(whole.slice(0, cut), whole.slice(cut))), `cut at ${cut}`).to.deep.equal(expected);
      }
    });
  }

  it('reads at most drainBytes of the rest of the body', () => {
    const rest = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(100));
    expect(seen(bytes(unsubscribed, ...rest), { drainBytes: 400 })).to.deep.equal([
      'read to its end at 0',
      'response at 0',
    ]);
    expect(seen(bytes(unsubscribed, ...rest), { drainBytes: 399 })).to.deep.equal([
      'response at 0',
      'let go at 0',
    ]);
  });

  it('waits at most drainSeconds for the end of the body', () => {
    expect(seen(concat(bytes(unsubscribed), NEVER))).to.deep.equal(['response at 1000', 'let go at 1000']);
    expect(seen(concat(bytes(unsubscribed), trickle), { drainSeconds: 0.25 })).to.deep.equal([
      'response at 250',
      'let go at 250',
    ]);
  });

  it('emits the envelope when the body breaks off after it', () => {
    expect(seen(concat(bytes(unsubscribed), broken))).to.deep.equal(['response at 0']);
  });

  it('errors when the body ends before the envelope is complete', () => {
    expect(seen(concat(bytes(unsubscribed.slice(0, 300)), broken))).to.deep.equal(['NetworkError at 0']);
    expect(seen(bytes(unsubscribed.slice(0, 300)))).to.deep.equal([
      'read to its end at 0',
      'DecodeError at 0',
    ]);
    expect(seen(bytes('<html/>', unsubscribed))).to.deep.equal(['DecodeError at 0', 'let go at 0']);
  });

  it('emits nothing for a blank body', () => {
    expect(seen(bytes())).to.deep.equal(['read to its end at 0']);
    expect(seen(bytes(' \n'))).to.deep.equal(['read to its end at 0']);
  });

  it('stops reading an endless body that comes at once', () => {
    function* endless(): Generator<Uint8Array> {
      for (;;) yield encoder.encode(unsubscribed);
    }
    expect(seen(from(endless()))).to.deep.equal(['response at 0', 'let go at 0']);
  });

  it('calls onMessage before the body has ended', () => {
    const types: string[] = [];
    inVirtualTime(() => {
      concat(bytes(plainFault('s:Client', 'no')), NEVER)
        .pipe(parseResponse({ onMessage: ({ type }) => types.push(`${type} at ${asyncScheduler.now()}`) }))
        .subscribe();
    });
    expect(types).to.deep.equal(['fault at 0']);
  });

  it('emits events of the first envelope before it is complete', () => {
    const early: number[] = [];
    const events = Array.from({ length: 100 }, (_, index) => itemEvent('NewMailEvent', `W${index}`)).join('');
    const body = eventsAnswer(events);
    seen(bytes(body + body), { onEvents: (some) => early.push(some.length) });
    const total = early.reduce((sum, count) => sum + count, 0);
    expect(total).to.be.greaterThan(50).and.at.most(100);
  });

  it('errors with a DecodeError for an envelope beyond the limits', () => {
    expect(seen(bytes(unsubscribed), { messageCharacters: 100 })).to.deep.equal([
      'DecodeError at 0',
      'let go at 0',
    ]);
  });
});
