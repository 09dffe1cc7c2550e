import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import type { Duplex } from 'node:stream';
import { catchError, firstValueFrom, forkJoin, map, mergeMap, type Observable, of, scan, tap } from 'rxjs';
import { HttpError } from '../../../lib/core/errors.ts';
import { fetchTransport } from '../../../lib/core/transport/fetch.ts';
import { readText, type Transport } from '../../../lib/core/transport/transport.ts';
import { channelBinding } from '../../../lib/node/channelBinding.ts';
import { nodeTransport } from '../../../lib/node/nodeTransport.ts';
import { ntlm } from '../../../lib/node/ntlm/ntlm.ts';
import {
  type Acceptor,
  acceptorFolder,
  type AcceptorFolder,
  apache,
  gssapiServer,
  needs,
} from '../../support/acceptors/acceptor.ts';
import { httpServer, type SpecServer } from '../../support/net/httpServer.ts';
import { trust } from '../../support/net/trust.ts';
import { eventually } from '../../support/browser/eventually.ts';

const sara = { username: 'CONTOSO\\sara', password: 'hush' };

/** Emits the status and the body of the response to a POST, or the error. */
function ask(transport: Transport, { url }: Acceptor, body: string): Observable<string> {
  return transport({ method: 'POST', url: `${url}/EWS`, body }).pipe(
    mergeMap((response) => readText(response, 'response').pipe(map((text) => `${response.status} ${text}`))),
    catchError((error: unknown) =>
      of(error instanceof HttpError ? `HttpError ${error.status}` : String(error)),
    ),
  );
}

describe('ntlm and real acceptors', function () {
  this.timeout(30_000);
  let folder: AcceptorFolder;
  let distrust: () => void;
  let acceptor: Acceptor | undefined;
  let env: NodeJS.ProcessEnv;

  before(needs('apache2-bin', 'libapache2-mod-auth-gssapi', 'gss-ntlmssp', 'python3-gssapi'));
  beforeEach(() => {
    folder = acceptorFolder();
    distrust = trust(folder.cert);
    env = { NTLM_USER_FILE: folder.write('users', 'CONTOSO:sara:hush\n') };
  });
  afterEach(async () => {
    await acceptor?.close();
    acceptor = undefined;
    distrust();
    folder.remove();
  });

  describe('Apache with mod_auth_gssapi and gss-ntlmssp', () => {
    const bodies: string[] = [];
    let upstream: SpecServer;
    let server: Acceptor;

    beforeEach(async () => {
      bodies.length = 0;
      upstream = await httpServer((request, response) => {
        let body = '';
        request.on('data', (chunk: Buffer) => (body += chunk.toString()));
        request.on('end', () => {
          bodies.push(body);
          if (body !== 'stream') response.end(`you sent ${body.length}: ${body.slice(0, 20)}`);
          else void streamTo(response);
        });
      });
      const directives = ['GssapiAllowedMech ntlmssp', 'GssapiConnectionBound On'];
      server = acceptor = await apache(folder, { env, directives, upstream: upstream.url });
    });
    afterEach(() => upstream.close());

    /** Ten pieces, each when the reader has read the one before. */
    const acknowledged: (() => void)[] = [];
    async function streamTo(response: ServerResponse): Promise<void> {
      for (let count = 0; count < 10; count += 1) {
        const read = new Promise<void>((resolve) => acknowledged.push(resolve));
        response.write(`piece ${count};`);
        await read;
      }
      response.end();
    }

    it('signs in with the right password, and sends each body once', async () => {
      const transport = ntlm(sara);
      const large = 'x'.repeat(300_000);
      for (const body of ['one', 'two', large])
        expect(await firstValueFrom(ask(transport, server, body))).to.match(/^200 you sent/);
      expect(bodies).to.deep.equal(['one', 'two', large]);
    });

    it('errors with the wrong password, the wrong domain and the wrong user', async () => {
      const wrong = [
        { ...sara, password: 'hash' },
        { ...sara, username: 'FABRIKAM\\sara' },
        { ...sara, username: 'CONTOSO\\john' },
      ];
      for (const one of wrong)
        expect(await firstValueFrom(ask(ntlm(one), server, 'one'))).to.equal('HttpError 401');
      expect(bodies).to.deep.equal([]);
    });

    it('signs in fifty concurrent connections, and reuses them', async () => {
      const transport = ntlm(sara);
      const sent = Array.from({ length: 50 }, (_, index) => `n${index}`);
      for (let round = 0; round < 2; round += 1) {
        const responses = await firstValueFrom(forkJoin(sent.map((body) => ask(transport, server, body))));
        expect(responses).to.deep.equal(sent.map((body) => `200 you sent ${body.length}: ${body}`));
      }
      expect([...bodies].sort()).to.deep.equal([...sent, ...sent].sort());
    });

    it('reads a streaming response as it arrives, while other requests are sent', async () => {
      const transport = ntlm(sara);
      const pieces: string[] = [];
      await new Promise<void>((complete, error) => {
        transport({ method: 'POST', url: `${server.url}/EWS`, body: 'stream' })
          .pipe(
            mergeMap(({ body$ }) => body$),
            scan((text, chunk) => text + Buffer.from(chunk).toString(), ''),
            tap((text) => pieces.push(text)),
            mergeMap(() => ask(transport, server, 'meanwhile')),
          )
          .subscribe({ next: () => acknowledged.shift()?.(), complete, error });
      });
      expect(pieces).to.have.length(10);
      expect(pieces.at(-1)).to.equal(Array.from({ length: 10 }, (_, count) => `piece ${count};`).join(''));
    });

    it('signs in through a proxy', async () => {
      const proxy = await tunnellingProxy();
      const connect = () => nodeTransport({ proxy: proxy.url, ca: folder.cert });
      const transport = ntlm({ ...sara, connect });
      for (const body of ['one', 'two'])
        expect(await firstValueFrom(ask(transport, server, body))).to.equal(`200 you sent 3: ${body}`);
      expect(proxy.targets).to.deep.equal([new URL(server.url).host]);
      await proxy.close();
    });

    it('refuses the messages of curl, which have no version', () => {
      const args = ['-sk', '--ntlm', '-u', 'CONTOSO\\sara:hush', '-o', '/dev/null', '-w', '%{http_code}'];
      let status: string;
      try {
        status = execFileSync('curl', [...args, `${server.url}/`], { encoding: 'utf8' });
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
        throw cause;
      }
      expect(status).to.equal('401');
    });
  });

  describe('an acceptor that checks the channel binding', () => {
    const own = (): Buffer => channelBinding(new X509Certificate(folder.cert).raw);

    it('accepts the binding of its own connection', async () => {
      acceptor = await gssapiServer(folder, { scheme: 'NTLM', binding: own(), env });
      expect(await firstValueFrom(ask(ntlm(sara), acceptor, 'one'))).to.equal('200 one');
    });

    it('accepts the binding of a connection through a proxy', async () => {
      const proxy = await tunnellingProxy();
      acceptor = await gssapiServer(folder, { scheme: 'NTLM', binding: own(), env });
      const connect = () => nodeTransport({ proxy: proxy.url, ca: folder.cert });
      expect(await firstValueFrom(ask(ntlm({ ...sara, connect }), acceptor, 'one'))).to.equal('200 one');
      await proxy.close();
    });

    it('refuses the binding of another connection', async () => {
      const other = Buffer.from(own());
      other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
      acceptor = await gssapiServer(folder, { scheme: 'NTLM', binding: other, env });
      expect(await firstValueFrom(ask(ntlm(sara), acceptor, 'one'))).to.equal('HttpError 401');
      const { log } = acceptor;
      await eventually(() => expect(log()).to.contain('Invalid token was supplied'));
    });

    it('accepts a client that sends no binding', async () => {
      acceptor = await gssapiServer(folder, { scheme: 'NTLM', binding: own(), env });
      const connect = (): Transport => {
        const transport = fetchTransport();
        return (request) => transport(request).pipe(map(({ peerCertificate: _, ...response }) => response));
      };
      expect(await firstValueFrom(ask(ntlm({ ...sara, connect }), acceptor, 'one'))).to.equal('200 one');
    });
  });
});

/** Starts a proxy that only tunnels, and notes where to. */
async function tunnellingProxy() {
  const targets: string[] = [];
  const sockets = new Set<Duplex>();
  const proxy = createServer().on('connect', ({ url = '' }, socket: Duplex) => {
    targets.push(url);
    const [host, port] = url.split(':');
    const target = connectTcp(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(target).pipe(socket);
    });
    for (const one of [socket, target]) {
      sockets.add(one);
      one.on('error', () => undefined);
    }
  });
  await new Promise<void>((listens) => proxy.listen(0, '127.0.0.1', listens));
  return {
    targets,
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    close: () =>
      new Promise((closed) => {
        proxy.close(closed);
        for (const socket of sockets) socket.destroy();
      }),
  };
}
