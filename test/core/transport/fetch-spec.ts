import { expect } from 'chai';
import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { firstValueFrom, lastValueFrom, mergeMap, type Observable, of, take, tap } from 'rxjs';
import { NetworkError, OriginError } from '../../../lib/core/errors.ts';
import type { Limits } from '../../../lib/core/limits.ts';
import { fetchTransport } from '../../../lib/core/transport/fetch.ts';
import { nodeSend } from '../../../lib/core/transport/nodeFetch.ts';
import type { Fetch } from '../../../lib/core/transport/send.ts';
import {
  type HttpRequest,
  type HttpResponse,
  readText,
  type Transport,
} from '../../../lib/core/transport/transport.ts';
import { httpServer, rawServer, type SpecServer } from '../../support/net/httpServer.ts';

const kinds: Record<string, (limits?: Limits) => Transport> = {
  'cross-fetch, whose bodies are Node streams': (limits) => fetchTransport(undefined, limits),
  'the global fetch, whose bodies are web streams': (limits) => fetchTransport(fetch, limits),
};

const failureOf = async (result: Observable<unknown>): Promise<NetworkError> => {
  try {
    await lastValueFrom(result);
  } catch (error) {
    if (error instanceof NetworkError) return error;
    throw error;
  }
  throw new Error('it did not fail');
};

describe('fetchTransport', () => {
  let server: SpecServer | undefined;

  afterEach(async () => {
    await server?.close();
    server = undefined;
  });

  for (const [kind, make] of Object.entries(kinds)) {
    describe(`with ${kind}`, () => {
      it('sends method, headers and body, and emits those of the response', async () => {
        server = await httpServer((request, response) => {
          request.setEncoding('utf8').on('data', (body: string) => {
            response.writeHead(201, {
              'x-seen': `${request.method ?? ''} ${String(request.headers['x-own'])}`,
            });
            response.end(`got ${body}`);
          });
        });
        const request = {
          method: 'POST',
          url: `${server.url}/a?b=c`,
          headers: { 'x-own': 'ours' },
          body: '10 €',
        };
        const [response, text] = await firstValueFrom(
          make()(request).pipe(
            mergeMap((answer) =>
              readText(answer, 'body').pipe(mergeMap((body) => of([answer, body] as const))),
            ),
          ),
        );
        expect(response.status).to.equal(201);
        expect(response.url).to.equal(request.url);
        expect(response.headers.get('X-Seen')).to.equal('POST ours');
        expect(response.headers.get('x-missing')).to.equal(undefined);
        expect(text).to.equal('got 10 €');
      });

      it('sends nothing before it is subscribed to', async () => {
        let requests = 0;
        server = await httpServer((_, response) => {
          requests += 1;
          response.end();
        });
        const answer = make()({ method: 'GET', url: server.url });
        expect(requests).to.equal(0);
        await firstValueFrom(answer);
        expect(requests).to.equal(1);
      });

      it('emits the body as it arrives', async () => {
        const events = new EventEmitter();
        server = await httpServer((_, response) => {
          response.write('one');
          events.once('more', () => response.end('two'));
        });
        const pieces: string[] = [];
        const body$ = make()({ method: 'GET', url: server.url }).pipe(mergeMap((response) => response.body$));
        await new Promise<void>((resolve, reject) => {
          body$.subscribe({
            next: (chunk) => {
              pieces.push(new TextDecoder().decode(chunk));
              events.emit('more');
            },
            error: reject,
            complete: resolve,
          });
        });
        expect(pieces).to.deep.equal(['one', 'two']);
      });

      it('aborts the request when the subscriber leaves before the answer', async () => {
        const events = new EventEmitter();
        server = await httpServer((request, response) => {
          response.on('close', () => events.emit('closed', response.writableEnded));
          events.emit('arrived', request);
        });
        const arrived = once(events, 'arrived');
        const closed = once(events, 'closed');
        const subscription = make()({ method: 'GET', url: server.url }).subscribe(() => {
          throw new Error('there was no answer');
        });
        await arrived;
        subscription.unsubscribe();
        expect(await closed).to.deep.equal([false]);
      });

      it('aborts the request when the subscriber leaves during the body', async () => {
        const events = new EventEmitter();
        server = await httpServer((_, response) => {
          response.on('close', () => events.emit('closed', response.writableEnded));
          response.write('one');
        });
        const closed = once(events, 'closed');
        const subscription = make()({ method: 'GET', url: server.url })
          .pipe(mergeMap((response) => response.body$))
          .subscribe(() => subscription.unsubscribe());
        expect(await closed).to.deep.equal([false]);
      });

      it('cancels an unread large body, and refuses late subscribers', async () => {
        const events = new EventEmitter();
        server = await httpServer((_, response) => {
          response.on('close', () => events.emit('closed', response.writableEnded));
          response.write('x'.repeat(1000));
        });
        const closed = once(events, 'closed');
        const response = await firstValueFrom(make()({ method: 'GET', url: server.url }));
        expect(await closed).to.deep.equal([false]);
        const error = await failureOf(response.body$);
        expect(error.message).to.match(/^the body was read or discarded before: GET/);
      });

      it('closes the connection of an unread body that never arrives', async () => {
        const closed: Promise<unknown>[] = [];
        server = await rawServer((socket) => {
          closed.push(once(socket, 'close'));
          socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 10\r\n\r\n');
        });
        const { url } = server;
        const transport = make({ drainSeconds: 0.02 });
        const answers = Array.from({ length: 20 }, () => firstValueFrom(transport({ method: 'GET', url })));
        expect((await Promise.all(answers)).map(({ status }) => status)).to.include(503);
        await Promise.all(closed);
        expect(closed).to.have.length(20);
      });

      it('does not follow a redirect', async () => {
        server = await httpServer((_, response) => response.writeHead(302, { location: '/elsewhere' }).end());
        const response = await firstValueFrom(make()({ method: 'GET', url: server.url }));
        expect(response.status).to.equal(302);
        expect(new URL(response.headers.get('location') ?? '', response.url).pathname).to.equal('/elsewhere');
      });

      it('reports that no connection was established', async () => {
        server = await httpServer((_, response) => response.end());
        const { url } = server;
        await server.close();
        const error = await failureOf(make()({ method: 'GET', url: `${url}/path?token=hush` }));
        expect(error.code).to.equal('ECONNREFUSED');
        expect(error.message).to.equal(`no answer: GET ${url}/path (ECONNREFUSED)`);
        expect(error.cause).to.be.instanceOf(Error);
      });

      const HEAD = 'HTTP/1.1 200 OK\r\n';
      const broken: Record<string, readonly [string, 'end' | 'destroy']> = {
        'no answer at all': ['', 'destroy'],
        'half an answer': [HEAD, 'end'],
        'a body shorter than announced': [`${HEAD}Content-Length: 100\r\n\r\nhello`, 'end'],
        'a body shorter than announced, and a reset': [`${HEAD}Content-Length: 100\r\n\r\nhello`, 'destroy'],
        'a chunked body without its end': [`${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, 'end'],
        'a chunk cut short': [`${HEAD}Transfer-Encoding: chunked\r\n\r\n50\r\nhello`, 'destroy'],
        'a chunk whose size is no number': [`${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 'end'],
      };
      for (const [name, [bytes, close]] of Object.entries(broken)) {
        it(`errors, and never hangs, on ${name}`, async () => {
          server = await rawServer((socket) => socket.write(bytes, () => socket[close]()));
          const text$ = make()({ method: 'GET', url: server.url }).pipe(
            mergeMap((answer) => readText(answer, 'x')),
          );
          expect(await failureOf(text$)).to.be.instanceOf(NetworkError);
        });
      }
    });
  }

  it('keeps connections alive by default, also when bodies are not read', async () => {
    server = await httpServer((request, response) => {
      if (request.method === 'DELETE') response.writeHead(204).end();
      else response.end('small');
    });
    const transport = fetchTransport();
    for (const method of ['GET', 'DELETE', 'GET', 'DELETE', 'GET']) {
      const { url } = server;
      await new Promise<void>((resolve, reject) => {
        transport({ method, url }).subscribe({ error: reject, complete: () => setImmediate(resolve) });
      });
    }
    expect(server.connections()).to.be.at.most(2);
  });

  describe('on a connection whose response is followed by a second one', () => {
    const answerOf = (body: string): string =>
      `HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    let connection = 0;
    let latest: Socket | undefined;

    /** Answers each request with the number of its connection, and its own there. */
    const numbering = async (): Promise<SpecServer> => {
      connection = 0;
      server = await rawServer((socket) => {
        const number = (connection += 1);
        let asked = 0;
        const answer = (): void => {
          latest = socket;
          asked += 1;
          socket.write(answerOf(`connection ${number}, answer ${asked}`));
        };
        answer();
        socket.on('data', answer);
      });
      return server;
    };

    const sendUnasked = async (): Promise<void> => {
      await new Promise<unknown>((resolve) => latest?.write(answerOf('unasked'), resolve));
      // The client reads the written data in the next round of the event loop.
      await new Promise(setImmediate);
    };

    const ask = (transport: Transport, isDiscarding: boolean): Promise<string> =>
      firstValueFrom(
        transport({ method: 'GET', url: server!.url }).pipe(
          mergeMap((response) =>
            readText(
              {
                ...response,
                body$: response.body$.pipe(tap(() => isDiscarding && response.discardConnection?.())),
              },
              'x',
            ),
          ),
        ),
      );

    it('sends no request on it after it is discarded during reading', async () => {
      const { connections } = await numbering();
      const transport = fetchTransport();
      expect(await ask(transport, false)).to.equal('connection 1, answer 1');
      expect(await ask(transport, true)).to.equal('connection 1, answer 2');
      await sendUnasked();
      expect(await ask(transport, true), 'after a while').to.equal('connection 2, answer 1');
      expect(await ask(transport, true), 'at once').to.equal('connection 3, answer 1');
      expect(connections()).to.equal(3);
    });

    it('uses it again only when the answer was read to its end', async () => {
      server = await httpServer((_, response) => response.end('small'));
      const transport = fetchTransport();
      const [first, second] = await Promise.all([ask(transport, false), ask(transport, false)]);
      expect([first, second]).to.deep.equal(['small', 'small']);
      expect(await ask(transport, false)).to.equal('small');
      expect(server.connections()).to.equal(2);
    });

    it('releases it after an unsubscription when the response has arrived', async () => {
      server = await httpServer((_, response) => response.end('small'));
      const transport = fetchTransport();
      for (let round = 0; round < 3; round += 1) {
        await firstValueFrom(
          transport({ method: 'GET', url: server.url }).pipe(
            mergeMap(({ body$ }) => body$),
            take(1),
          ),
        );
      }
      expect(await ask(transport, false)).to.equal('small');
      expect(server.connections()).to.be.at.most(4);
    });

    it('is not there for a fetch that does not show its connections', async () => {
      const double: Fetch = () => Promise.resolve(new Response('x'));
      const response = await firstValueFrom(fetchTransport(double)({ method: 'GET', url: 'https://a/' }));
      expect(response).to.not.have.property('discardConnection');
    });
  });

  it('sends with cross-fetch if the platform has no modules of Node', async () => {
    server = await httpServer((_, response) => response.end('small'));
    const { response, release } = nodeSend({})(new URL(server.url), {});
    expect(await (await response).text()).to.equal('small');
    expect(release).to.equal(undefined);
  });

  it('speaks TLS to https URLs', async () => {
    server = await rawServer((socket) => socket.end('this is not TLS'));
    const url = server.url.replace('http:', 'https:');
    const error = await failureOf(fetchTransport()({ method: 'GET', url }));
    expect(error.message).to.match(
      /^no answer, because the server does not speak https on this port: check the URL: GET https:/,
    );
  });

  it('passes on the options that only browsers use', async () => {
    const seen: RequestInit[] = [];
    const double: Fetch = (_, init) => {
      seen.push(init);
      return Promise.resolve(new Response(null, { status: 204 }));
    };
    const request: HttpRequest = {
      method: 'DELETE',
      url: 'https://a/',
      keepalive: true,
      credentials: 'include',
    };
    await firstValueFrom(fetchTransport(double)(request));
    expect(seen[0]).to.include({ keepalive: true, credentials: 'include', redirect: 'manual' });
    expect(seen[0]).to.include({ cache: 'no-store' });
  });

  for (const url of [
    'https://evil.test;.contoso.com/',
    'ftp://a/',
    'https://a:b@c/',
    '/relative',
    'https://[',
  ]) {
    it(`errors with an OriginError and sends nothing for ${url}`, async () => {
      let calls = 0;
      const transport = fetchTransport(() => {
        calls += 1;
        return Promise.resolve(new Response('x'));
      });
      const error: unknown = await firstValueFrom(transport({ method: 'GET', url })).catch(
        (cause: unknown) => cause,
      );
      expect(error).to.be.instanceOf(OriginError);
      expect(String(error)).to.contain('the URL of GET leads to').and.not.contain('a:b');
      expect(calls).to.equal(0);
    });
  }

  describe('with a compressed response', () => {
    const gzip = { status: 'HTTP/1.1 200 OK', encoding: 'Content-Encoding: gzip' };
    const head = (more: string): string => [gzip.status, gzip.encoding, more, '', ''].join('\r\n');
    const text$ = (transport: Transport, url: string): Promise<unknown> =>
      lastValueFrom(
        transport({ method: 'GET', url }).pipe(mergeMap((response) => readText(response, 'x'))),
      ).catch((error: unknown) => error);

    it('closes the connection of a body that cannot be decompressed', async () => {
      let closed: Promise<unknown> | undefined;
      server = await rawServer((socket) => {
        closed = once(socket, 'close');
        socket.write(`${head('Transfer-Encoding: chunked')}8\r\nnot gzip\r\n`);
      });
      expect(await text$(fetchTransport(), server.url)).to.be.instanceOf(NetworkError);
      await closed;
    });

    it('closes the connection of a body that ends before its response', async () => {
      let closed: Promise<unknown> | undefined;
      const whole = gzipSync('hello');
      server = await rawServer((socket) => {
        closed = once(socket, 'close');
        socket.write(`${head('Transfer-Encoding: chunked')}${(whole.length + 1).toString(16)}\r\n`);
        socket.write(Buffer.concat([whole, Buffer.from('\0\r\n')]));
      });
      expect(await text$(fetchTransport(undefined, { drainSeconds: 0.02 }), server.url)).to.equal('hello');
      await closed;
    });

    it('survives a reset after the response while it is still read', async () => {
      const whole = gzipSync(Buffer.alloc(4_000_000, 'x'));
      server = await rawServer((socket) => {
        socket.write(head(`Content-Length: ${whole.length}`));
        socket.write(whole, () => setTimeout(() => socket.resetAndDestroy(), 1));
      });
      for (let count = 0; count < 10; count += 1) await text$(fetchTransport(), server.url);
    });
  });

  it('cancels an unread body that is larger than it was announced', async () => {
    const chunk = new Uint8Array(16_384);
    const aborted = new Promise((resolve) => {
      const endless: Fetch = (_, { signal }) => {
        signal?.addEventListener('abort', resolve);
        const body = new ReadableStream({ pull: (controller) => controller.enqueue(chunk) });
        return Promise.resolve(new Response(body, { status: 503, headers: { 'content-length': '10' } }));
      };
      fetchTransport(endless, { drainSeconds: 60 })({ method: 'GET', url: 'https://a/' }).subscribe();
    });
    await aborted;
  });

  for (const headers of [{ host: 'evil.test' }, { Host: 'evil.test' }, { 'a b': 'c' }, { a: 'b\r\nc: d' }]) {
    it(`errors with a TypeError and sends nothing for the headers ${JSON.stringify(headers)}`, async () => {
      const transport = fetchTransport(() => Promise.reject(new Error('it was sent')));
      const url = 'https://a/';
      const error: unknown = await firstValueFrom(transport({ method: 'GET', url, headers })).catch(
        (cause: unknown) => cause,
      );
      expect(error).to.be.instanceOf(TypeError);
    });
  }

  it('hands the URL without its fragment to the fetch', async () => {
    const urls: string[] = [];
    const transport = fetchTransport((url) => {
      urls.push(url);
      return Promise.resolve(new Response('x'));
    });
    await firstValueFrom(transport({ method: 'GET', url: 'HTTPS://Pool.contoso.com/a?b#hush' }));
    expect(urls).to.deep.equal(['https://pool.contoso.com/a?b']);
  });

  it('has the URL of the request if the fetch has none', async () => {
    const response = await firstValueFrom(
      fetchTransport(() => Promise.resolve(new Response('x')))({ method: 'GET', url: 'https://a/b' }),
    );
    expect(response.url).to.equal('https://a/b');
  });

  it('turns whatever a fetch throws or rejects with into a NetworkError', async () => {
    const thrower: Fetch = () => {
      throw new TypeError('thrown');
    };
    const get: HttpRequest = { method: 'GET', url: 'https://a/' };
    expect(await failureOf(fetchTransport(thrower)(get))).to.have.nested.property('cause.name', 'TypeError');
    expect(await failureOf(fetchTransport(() => Promise.reject('text'))(get))).to.not.have.property('cause');
  });

  it('throws at once for a fetch that is none', () => {
    expect(() => fetchTransport('fetch' as unknown as Fetch)).to.throw(TypeError, /fetch must be a function/);
  });

  it('reads a body once', async () => {
    const answers: HttpResponse[] = [];
    const transport = fetchTransport(() => Promise.resolve(new Response('x')));
    const text$ = transport({ method: 'GET', url: 'https://a/' }).pipe(
      mergeMap((response) => {
        answers.push(response);
        return readText(response, 'x');
      }),
    );
    expect(await firstValueFrom(text$)).to.equal('x');
    expect((await failureOf(answers[0]!.body$)).message).to.contain('read or discarded before');
  });
});
