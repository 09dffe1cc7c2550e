import { expect } from 'chai';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { inspect } from 'node:util';
import type { NetworkError } from '../../lib/core/errors.ts';
import { nodeTransport } from '../../lib/node/nodeTransport.ts';
import { authority } from '../support/net/authority.ts';
import { httpServer } from '../support/net/httpServer.ts';
import { outcomeOf } from '../support/net/outcomeOf.ts';

describe('nodeTransport: tunnels', () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  const listen = async (server: Server): Promise<number> => {
    servers.push(server);
    server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };

  /** Starts a proxy that writes a text in response to anything. */
  const scripted = async (text: string): Promise<string> =>
    `http://127.0.0.1:${await listen(createServer((socket) => socket.once('data', () => socket.end(text))))}`;

  it('never take a response of the proxy for that of the server', async () => {
    for (const status of [200, 204, 301, 400, 404, 410, 500, 503]) {
      const proxy = await scripted(`HTTP/1.1 ${status} x\r\nContent-Length: 2\r\n\r\nno`);
      const error = await outcomeOf('https://mail.contoso.com/', { proxy });
      expect(error, String(status)).to.include({ name: 'NetworkError' });
    }
  });

  const failures: readonly [title: string, text: string, code: string, message: RegExp][] = [
    ['no HTTP', 'SSH-2.0-x\r\n', 'ERR_PROXY_UNREACHABLE', /cannot be reached \(HPE_\w+\): check its URL/],
    ['nothing', '', 'ERR_PROXY_UNREACHABLE', /cannot be reached \(ECONNRESET\): check its URL/],
    ['404', 'HTTP/1.1 404 x\r\n\r\n', 'ERR_PROXY_REFUSED', /cannot connect to this host \(404\)/],
    ['405', 'HTTP/1.1 405 x\r\n\r\n', 'ERR_PROXY_REFUSED', /does not allow connections .* \(405\)/],
  ];
  for (const [title, text, code, message] of failures) {
    it(`error if the proxy responds with ${title}`, async () => {
      const error = await outcomeOf('https://mail.contoso.com/', { proxy: await scripted(text) });
      expect(error).to.include({ code, isUnsent: true }).and.have.property('message').that.matches(message);
    });
  }

  it('error if the proxy cannot be reached, with the cause', async () => {
    const port = await listen(createServer());
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const error = await outcomeOf('https://mail.contoso.com/', {
      proxy: `http://sara:hush@127.0.0.1:${port}`,
    });
    expect(error).to.include({ code: 'ERR_PROXY_UNREACHABLE' });
    expect(error)
      .to.have.property('message')
      .that.contains(`the proxy http://127.0.0.1:${port} cannot be reached (ECONNREFUSED): check its URL`);
    expect((error as NetworkError).cause).to.include({ code: 'ECONNREFUSED', port });
    expect(inspect(error)).to.not.contain('hush').and.not.contain('sara');
  });

  it('carry bytes that arrive with the response of the proxy', async () => {
    const text = 'HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 234 early\r\nContent-Length: 0\r\n\r\n';
    expect(await outcomeOf('http://mail.contoso.com/', { proxy: await scripted(text) })).to.equal(234);
  });

  it('open through a proxy at an https URL, whose certificate is checked', async () => {
    const own = authority();
    const target = await httpServer((_, response) => response.end('hello'));
    const { key, cert } = own.issue(['localhost']);
    const proxy = createSecureServer({ key, cert });
    proxy.on('connect', ({ url = '' }: { url?: string }, socket: Socket) => {
      const through = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        through.pipe(socket).pipe(through);
      });
      sockets.add(through.on('error', () => undefined));
    });
    const url = `https://localhost:${await listen(proxy)}`;
    expect(await outcomeOf(target.url, { proxy: url, ca: own.ca })).to.equal(200);
    const error = await outcomeOf(target.url, { proxy: url });
    expect(error)
      .to.have.property('message')
      .that.contains('cannot be used: its certificate is from an unknown authority');
    own.remove();
    await target.close();
  });

  it('are given up when the request is unsubscribed from', async () => {
    let closed = (): void => undefined;
    const isClosed = new Promise<void>((resolve) => (closed = resolve));
    let opened = (): void => undefined;
    const isOpen = new Promise<void>((resolve) => (opened = resolve));
    const port = await listen(
      createServer((socket) => {
        socket.once('data', opened).once('close', closed);
      }),
    );
    const proxy = `http://127.0.0.1:${port}`;
    const request = nodeTransport({ proxy })({ method: 'GET', url: 'https://mail.contoso.com/' }).subscribe();
    await isOpen;
    request.unsubscribe();
    await isClosed;
  });

  for (const proxy of ['proxy', 'socks5://hush:1080', 'http://sara:hush@/', 7, true]) {
    it(`throw for the proxy ${String(proxy)}, without the value`, () => {
      expect(() => nodeTransport({ proxy: proxy as string }))
        .to.throw(TypeError, /^proxy must be the URL of an HTTP proxy/)
        .with.property('message')
        .that.does.not.contain('hush');
    });
  }

  it('error for an invalid proxy of the environment, without the value', async () => {
    const before = process.env['https_proxy'];
    process.env['https_proxy'] = 'socks5://hush:1080';
    const error = await outcomeOf('https://mail.contoso.com/', {});
    if (before === undefined) delete process.env['https_proxy'];
    else process.env['https_proxy'] = before;
    expect(error)
      .to.have.property('message')
      .that.contains('the variable HTTPS_PROXY or ALL_PROXY is not the URL of an HTTP proxy')
      .and.not.contains('hush');
  });
});
