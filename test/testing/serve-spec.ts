import { expect } from 'chai';
import { request as send } from 'node:http';
import { concat, EMPTY, finalize, NEVER, type Observable, of, Subject, throwError } from 'rxjs';
import { NetworkError } from '../../lib/core/errors.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../../lib/core/transport.ts';
import { serve, type Served, type ServeOptions } from '../../lib/testing/serve.ts';

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

/** Resolves when the Observable that it gives is unsubscribed from. */
const watched = (): { readonly never$: Observable<never>; readonly left: Promise<void> } => {
  let leave = (): void => undefined;
  const left = new Promise<void>((resolve) => (leave = resolve));
  return { never$: NEVER.pipe(finalize(() => leave())), left };
};

describe('serve', () => {
  const servers: Served[] = [];
  const serving = async (transport: Transport, options?: ServeOptions): Promise<Served> => {
    const server = await serve(transport, options);
    servers.push(server);
    return server;
  };
  afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

  it('should hand the request to the transport as it was sent', async () => {
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

  it('should answer with the status, the headers and the body of the response', async () => {
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

  it('should send a 204 without a body', async () => {
    const server = await serving(answering({ status: 204 }));

    const response = await fetch(`${server.origin}/`, { method: 'DELETE' });

    expect(response.status).to.equal(204);
    expect(await response.text()).to.equal('');
  });

  it('should send the body as it comes', async () => {
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

  it('should destroy the socket where the transport errors', async () => {
    const transport: Transport = (request) => throwError(() => new NetworkError('no answer', request));
    const server = await serving(transport);

    expect(await failed(fetch(`${server.origin}/`))).to.equal(true);
  });

  it('should destroy the socket where the transport completes without an answer', async () => {
    const server = await serving(() => EMPTY);

    expect(await failed(fetch(`${server.origin}/`))).to.equal(true);
  });

  it('should destroy the socket where the body breaks off', async () => {
    const body = new Subject<Uint8Array>();
    const server = await serving(answering({ body$: body }));

    const response = await fetch(`${server.origin}/`);
    const text = failed(response.text());
    body.error(new Error('broken'));

    expect(await text).to.equal(true);
  });

  it('should unsubscribe from the transport when the client leaves before the answer', async () => {
    const { never$, left } = watched();
    const controller = new AbortController();
    const server = await serving(() => {
      controller.abort();
      return never$;
    });

    expect(await failed(fetch(`${server.origin}/`, { signal: controller.signal }))).to.equal(true);
    await left;
  });

  it('should unsubscribe from the body when the client leaves in the middle of it', async () => {
    const { never$, left } = watched();
    const controller = new AbortController();
    const server = await serving(answering({ body$: never$ }));

    await fetch(`${server.origin}/`, { signal: controller.signal });
    controller.abort();
    await left;
  });

  it('should not subscribe to the transport for a client that left before its request was complete', async () => {
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

  it('should end what is being answered when it is closed', async () => {
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

  it('should reject where the port is taken', async () => {
    const server = await serving(() => EMPTY);

    expect(await failed(serve(() => EMPTY, { port: server.port }))).to.equal(true);
  });

  it('should refuse what is no port', () => {
    expect(() => serve(() => EMPTY, { port: 65_536 })).to.throw(TypeError, 'port must be a whole number');
  });
});
