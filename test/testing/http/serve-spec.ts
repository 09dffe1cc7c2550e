import { expect } from 'chai';
import { request as send } from 'node:http';
import { connect } from 'node:net';
import { concat, EMPTY, finalize, from, merge, NEVER, type Observable, of, Subject, throwError } from 'rxjs';
import { NetworkError } from '../../../lib/core/errors.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../../lib/core/transport/transport.ts';
import { serve, type Served, type ServeOptions } from '../../../lib/testing/http/serve.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const answering =
  (response: Partial<HttpResponse>): Transport =>
  ({ url }) =>
    of({ status: 200, url, headers: headersFrom({}), body$: EMPTY, ...response });

const failed = (promise: Promise<unknown>): Promise<boolean> =>
  promise.then(
    () => false,
    () => true,
  );

/** Returns an Observable, and a Promise that resolves when it is unsubscribed. */
const watched = (): { readonly never$: Observable<never>; readonly left: Promise<void> } => {
  let leave = (): void => undefined;
  const left = new Promise<void>((resolve) => (leave = resolve));
  return { never$: NEVER.pipe(finalize(() => leave())), left };
};

const servers: Served[] = [];
const serving = async (transport: Transport, options?: ServeOptions): Promise<Served> => {
  const server = await serve(transport, options);
  servers.push(server);
  return server;
};
const closeAll = (): Promise<unknown> => Promise.all(servers.splice(0).map((server) => server.close()));

describe('serve', () => {
  afterEach(closeAll);

  it('passes the request to the transport as sent', async () => {
    const seen: HttpRequest[] = [];
    const server = await serving((request) => {
      seen.push(request);
      return answering({})(request);
    });

    await fetch(`${server.origin}/a/b?c=d`, { method: 'POST', headers: { 'X-One': '1' }, body: '{"ä":1}' });

    expect(seen).to.have.length(1);
    const { method, url, headers, body } = seen[0]!;
    expect({ method, url, body }).to.deep.equal({
      method: 'POST',
      url: `http://127.0.0.1:${server.port}/a/b?c=d`,
      body: '{"ä":1}',
    });
    expect(headers).to.include({ 'x-one': '1' });
  });

  it('sends the status, the headers and the body of the response', async () => {
    const headers = headersFrom({ 'content-type': 'text/x-hello', 'retry-after': '3', 'x-mine': 'yes' });
    const transport = answering({ status: 503, headers, body$: of(bytes('hel'), bytes('lo')) });
    const server = await serving(transport, { responseHeaders: ['x-mine'] });

    const response = await fetch(`${server.origin}/`);

    expect(response.status).to.equal(503);
    expect(Object.fromEntries(response.headers)).to.include({
      'content-type': 'text/x-hello',
      'retry-after': '3',
      'x-mine': 'yes',
    });
    expect(await response.text()).to.equal('hello');
  });

  it('sends a 204 without a body', async () => {
    const server = await serving(answering({ status: 204 }));

    const response = await fetch(`${server.origin}/`, { method: 'DELETE' });

    expect(response.status).to.equal(204);
    expect(await response.text()).to.equal('');
  });

  it('sends each chunk of the body when it arrives', async () => {
    const body = new Subject<Uint8Array>();
    const server = await serving(answering({ body$: concat(of(bytes('first')), body) }));

    const response = await fetch(`${server.origin}/`);
    const reader = response.body!.getReader();
    const first = await reader.read();
    body.next(bytes('second'));
    const second = await reader.read();
    body.complete();

    expect([first.value, second.value].map((chunk) => new TextDecoder().decode(chunk))).to.deep.equal([
      'first',
      'second',
    ]);
    expect((await reader.read()).done).to.equal(true);
  });

  it('destroys the socket if the transport errors', async () => {
    const transport: Transport = (request) => throwError(() => new NetworkError('no answer', request));
    const server = await serving(transport);

    expect(await failed(fetch(`${server.origin}/`))).to.equal(true);
  });

  it('destroys the socket if the transport completes without a response', async () => {
    const server = await serving(() => EMPTY);

    expect(await failed(fetch(`${server.origin}/`))).to.equal(true);
  });

  it('destroys the socket if the body errors', async () => {
    const body = new Subject<Uint8Array>();
    const server = await serving(answering({ body$: body }));

    const response = await fetch(`${server.origin}/`);
    const text = failed(response.text());
    body.error(new Error('broken'));

    expect(await text).to.equal(true);
  });

  it('unsubscribes from the transport when the client disconnects before the response', async () => {
    const { never$, left } = watched();
    const controller = new AbortController();
    const server = await serving(() => {
      controller.abort();
      return never$;
    });

    expect(await failed(fetch(`${server.origin}/`, { signal: controller.signal }))).to.equal(true);
    await left;
  });

  it('unsubscribes from the body when the client disconnects during it', async () => {
    const { never$, left } = watched();
    const controller = new AbortController();
    const server = await serving(answering({ body$: never$ }));

    await fetch(`${server.origin}/`, { signal: controller.signal });
    controller.abort();
    await left;
  });

  it('does not subscribe for a client that disconnected before its request ended', async () => {
    let subscriptions = 0;
    const server = await serve(() => {
      subscriptions += 1;
      return EMPTY;
    });

    const half = send(`${server.origin}/`, { method: 'POST', headers: { 'content-length': '100' } });
    const broken = new Promise((resolve) => half.once('error', resolve));
    half.write('half');
    half.once('socket', (socket) => socket.once('connect', () => half.destroy()));
    await broken;
    await server.close();

    expect(subscriptions).to.equal(0);
  });

  it('ends pending responses when it is closed', async () => {
    const { never$, left } = watched();
    let arrived = (): void => undefined;
    const hasArrived = new Promise<void>((resolve) => (arrived = resolve));
    const server = await serve(() => {
      arrived();
      return never$;
    });

    const lost = failed(fetch(`${server.origin}/`));
    await hasArrived;
    await server.close();

    await left;
    expect(await lost).to.equal(true);
    expect(await failed(fetch(`${server.origin}/`))).to.equal(true);
  });

  it('rejects if the port is in use', async () => {
    const server = await serving(() => EMPTY);

    expect(await failed(serve(() => EMPTY, { port: server.port }))).to.equal(true);
  });

  it('throws for an invalid port', () => {
    expect(() => serve(() => EMPTY, { port: 65_536 })).to.throw(TypeError, 'port must be a whole number');
  });

  it('throws for invalid options', () => {
    const refused: readonly (readonly [ServeOptions, string])[] = [
      [{ maxBytes: 0 }, 'maxBytes must be a whole number from 1'],
      [{ maxBytes: Infinity }, 'maxBytes must be a whole number from 1'],
      [{ timeoutSeconds: 0 }, 'timeoutSeconds must be a number from 0.01'],
      [{ allowedHosts: ['pool.example', 'a/b'] }, 'allowedHosts[1] must be a host'],
      [{ allowedHosts: ['http://pool.example'] }, 'allowedHosts[0] must be a host'],
      [{ responseHeaders: ['x-mine', 'x:'] }, 'responseHeaders[1] must be the name of a header'],
    ];
    for (const [options, message] of refused) {
      expect(() => serve(() => EMPTY, options), message).to.throw(TypeError, message);
    }
  });
});

/** Sends a text in which PORT is replaced; resolves with everything received until the connection closes. */
const exchanged = ({ port }: Served, text: string): Promise<string> =>
  new Promise((resolve) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(text.replaceAll('PORT', `${port}`), 'latin1'),
    );
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => (received += String(chunk)));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(received));
  });

const statusOf = (response: string): number => Number(/^HTTP\/1\.1 (\d{3})/.exec(response)?.[1]);

/** Returns a transport that records the URLs that it receives. */
const noting = (): { readonly urls: string[]; readonly transport: Transport } => {
  const urls: string[] = [];
  return {
    urls,
    transport: (request) => {
      urls.push(request.url);
      return answering({})(request);
    },
  };
};

describe('serve, with hostile requests', () => {
  afterEach(closeAll);

  const targets: readonly (readonly [target: string, status: number])[] = [
    ['http://[', 400],
    ['http://', 400],
    ['http://a@127.0.0.1:PORT/', 400],
    ['http://evil.example;.localhost:PORT/', 400],
    ['ftp://127.0.0.1:PORT/', 400],
    ['*', 400],
    ['http://evil.example/', 421],
    ['http://evil.example:PORT/', 421],
    ['https://127.0.0.1:PORT/', 421],
  ];
  for (const [target, status] of targets) {
    it(`responds to the target ${target} with ${status}`, async () => {
      const { urls, transport } = noting();
      const server = await serving(transport);
      const text = `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n`;
      expect(statusOf(await exchanged(server, text))).to.equal(status);
      expect(urls).to.deep.equal([]);
      expect((await fetch(server.origin)).status).to.equal(200);
    });
  }

  const paths: readonly (readonly [target: string, path: string])[] = [
    ['//', '//'],
    ['//evil.example/x', '//evil.example/x'],
    ['/\\evil.example/x', '//evil.example/x'],
    ['http://127.0.0.1:PORT/x?y', '/x?y'],
  ];
  for (const [target, path] of paths) {
    it(`serves the target ${target} as a path of its own origin`, async () => {
      const { urls, transport } = noting();
      const server = await serving(transport);
      const text = `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nConnection: close\r\n\r\n`;
      expect(statusOf(await exchanged(server, text))).to.equal(200);
      expect(urls).to.deep.equal([`${server.origin}${path}`]);
    });
  }

  const hosts: readonly (readonly [host: string, status: number])[] = [
    ...['127.0.0.1:PORT', '127.8.9.10:PORT', 'LocalHost:PORT', 'pool.localhost:PORT', '[::1]:PORT'].map(
      (host) => [host, 200] as const,
    ),
    ...[
      'evil.example',
      'evil.example:PORT',
      '127.0.0.1.evil.example:PORT',
      'localhost.evil.example:PORT',
    ].map((host) => [host, 421] as const),
    ...['evil-localhost:PORT', '0.0.0.0:PORT', '[::]:PORT', '127.0.0.1', 'localhost:1'].map(
      (host) => [host, 421] as const,
    ),
    ...[
      '',
      'a b',
      '127.0.0.1:PORT/',
      'evil.example@127.0.0.1:PORT',
      '127.0.0.1:PORT#',
      '127.0.0.1:70000',
    ].map((host) => [host, 400] as const),
    ...['evil.example;.localhost:PORT', '127.0.0.1:PORT\r\nHost: evil.example', '\x80'].map(
      (host) => [host, 400] as const,
    ),
  ];
  for (const [host, status] of hosts) {
    it(`responds to the host ${JSON.stringify(host)} with ${status}`, async () => {
      const { urls, transport } = noting();
      const server = await serving(transport);
      const text = `GET /x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      expect(statusOf(await exchanged(server, text))).to.equal(status);
      expect(urls).to.deep.equal(status === 200 ? [`${server.origin}/x`] : []);
    });
  }

  it('rejects a request without a Host header', async () => {
    const server = await serving(answering({}));
    expect(statusOf(await exchanged(server, 'GET / HTTP/1.0\r\n\r\n'))).to.equal(400);
    expect(statusOf(await exchanged(server, 'GET / HTTP/1.1\r\n\r\n'))).to.equal(400);
  });

  it('serves the hosts in allowedHosts, and names the option to others', async () => {
    const { urls, transport } = noting();
    const server = await serving(transport, { allowedHosts: ['Pool.example', 'web.example:8080'] });
    const responseTo = (host: string): Promise<string> =>
      exchanged(server, `GET /x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    expect(statusOf(await responseTo('pool.example'))).to.equal(200);
    expect(statusOf(await responseTo('pool.example:1'))).to.equal(200);
    expect(statusOf(await responseTo('web.example:8080'))).to.equal(200);
    expect(urls).to.deep.equal(Array(3).fill(`${server.origin}/x`));
    expect(await responseTo('web.example'))
      .to.match(/^HTTP\/1\.1 421 /)
      .and.to.contain('allowedHosts');
    expect(statusOf(await responseTo('a.pool.example'))).to.equal(421);
  });

  it('survives invalid HTTP and unusual methods', async () => {
    const server = await serving(answering({}));
    const host = 'Host: 127.0.0.1:PORT\r\n';
    const texts = [
      'nonsense\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      `GET /\x80 HTTP/1.1\r\n${host}\r\n`,
      `GET / HTTP/9.9\r\n${host}\r\n`,
      `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n${host}\r\n`,
      `GET / HTTP/1.1\r\n${host}${'a: b\r\n'.repeat(10_000)}\r\n`,
      `POST / HTTP/1.1\r\n${host}Content-Length: -1\r\n\r\n`,
      `POST / HTTP/1.1\r\n${host}Content-Length: 9e99\r\n\r\n`,
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n`,
      `GET / HTTP/1.1\r\n${host}Expect: the unexpected\r\nConnection: close\r\n\r\n`,
      `CONNECT evil.example:443 HTTP/1.1\r\n${host}\r\n`,
      `GET / HTTP/1.1\r\n${host}Connection: upgrade, close\r\nUpgrade: websocket\r\n\r\n`,
    ];
    for (const text of texts) await exchanged(server, text);
    expect((await fetch(server.origin)).status).to.equal(200);
  });

  it('survives a client that resets its connection during the response', async () => {
    const body = new Subject<Uint8Array>();
    const { never$, left } = watched();
    const server = await serving(({ url }) =>
      answering({ body$: url.endsWith('/good') ? EMPTY : merge(of(bytes('first')), body, never$) })({
        method: 'GET',
        url,
      }),
    );
    const socket = connect(server.port, '127.0.0.1');
    socket.once('data', () => socket.resetAndDestroy());
    socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`);
    await left;
    body.next(bytes('second'));
    expect((await fetch(`${server.origin}/good`)).status).to.equal(200);
  });

  it('rejects a body whose declared length exceeds maxBytes', async () => {
    const { urls, transport } = noting();
    const server = await serving(transport);
    const text = 'POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 603979776\r\n\r\nabc';
    expect(statusOf(await exchanged(server, text))).to.equal(413);
    expect(urls).to.deep.equal([]);
  });

  it('rejects a body that exceeds maxBytes', async () => {
    const { urls, transport } = noting();
    const server = await serving(transport, { maxBytes: 10 });
    const text = 'POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(statusOf(await exchanged(server, `${text}5\r\nabcde\r\n6\r\nfghijk\r\n`))).to.equal(413);
    expect(urls).to.deep.equal([]);
    const exact = { method: 'POST', body: 'abcdefghij' };
    expect((await fetch(server.origin, exact)).status).to.equal(200);
    // The kept connection works for another request.
    expect((await fetch(server.origin, exact)).status).to.equal(200);
  });

  it('reads at most 64 MiB of concurrent bodies', async () => {
    const server = await serving(answering({}), { maxBytes: 16 * 1024 * 1024 });
    const part = Buffer.alloc(15 * 1024 * 1024, 'a');
    const head = `POST / HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Length: 16777216\r\n\r\n`;
    const sockets = Array.from({ length: 5 }, () => connect(server.port, '127.0.0.1'));
    const refused = new Promise<string>((resolve) => {
      for (const socket of sockets) {
        socket.on('error', () => undefined);
        socket.on('data', (answer) => resolve(String(answer)));
        socket.write(head);
        socket.write(part);
      }
    });
    expect(statusOf(await refused)).to.equal(503);
    await Promise.all(
      sockets.map((socket) => {
        const closed = new Promise((resolve) => socket.once('close', resolve));
        socket.destroy();
        return closed;
      }),
    );
    const body = 'a'.repeat(1_000_000);
    expect((await fetch(server.origin, { method: 'POST', body })).status).to.equal(200);
  });

  it('stops reading a body that exceeds maxBytes', async () => {
    const server = await serving(answering({}), { maxBytes: 1000 });
    const most = 64 * 1024 * 1024;
    const chunk = Buffer.from(`10000\r\n${'a'.repeat(65_536)}\r\n`);
    const sent = await new Promise<number>((resolve) => {
      let written = 0;
      const socket = connect(server.port, '127.0.0.1');
      const write = (): void => {
        while (written < most) {
          written += chunk.length;
          if (!socket.write(chunk)) return;
        }
        socket.destroy();
      };
      socket.on('drain', write);
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(written));
      socket.write(`POST / HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nTransfer-Encoding: chunked\r\n\r\n`);
      write();
    });
    expect(sent).to.be.below(most);
  });

  for (const [part, text] of [
    ['head', 'POST / HTTP/1.1\r\nHost: 127.'],
    ['body', 'POST / HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Length: 10\r\n\r\nhalf'],
  ] as const) {
    it(`rejects a request whose ${part} does not arrive within timeoutSeconds`, async function () {
      this.timeout(10_000);
      const server = await serving(answering({}), { timeoutSeconds: 0.05 });
      expect(statusOf(await exchanged(server, text))).to.equal(408);
    });
  }

  it('lets a response take longer than timeoutSeconds', async () => {
    const body = new Subject<Uint8Array>();
    const server = await serving(answering({ body$: body }), { timeoutSeconds: 0.25 });
    const response = await fetch(server.origin);
    await exchanged(server, 'GET / HTTP/1.1\r\nHost: 127.');
    body.next(bytes('late'));
    body.complete();
    expect(await response.text()).to.equal('late');
  });

  const failures: readonly (readonly [what: string, transport: Transport])[] = [
    [
      'transport throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['transport returns no Observable', () => undefined as never],
    ['body is not bytes', answering({ body$: from([7 as never]) })],
    ['body is missing', answering({ body$: undefined as never })],
    ['status is invalid', answering({ status: 7 })],
    ['header has a line break', answering({ headers: headersFrom({ location: '/\r\nset-cookie: a' }) })],
    ['header is not Latin-1', answering({ headers: headersFrom({ location: '/\u20ac' }) })],
    ['second response follows', (request) => concat(answering({})(request), answering({})(request))],
  ];
  for (const [what, transport] of failures) {
    it(`destroys only the response whose ${what}`, async () => {
      const body = new Subject<Uint8Array>();
      const good = answering({ body$: body });
      const server = await serving((request) =>
        request.url.endsWith('/good') ? good(request) : transport(request),
      );
      const response = await fetch(`${server.origin}/good`);
      const bad = fetch(`${server.origin}/bad`).then((answered) => answered.text());
      expect(await failed(bad)).to.equal(true);
      body.next(bytes('good'));
      body.complete();
      expect(await response.text()).to.equal('good');
    });
  }
});
