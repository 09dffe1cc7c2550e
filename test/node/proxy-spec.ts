import { expect } from 'chai';
import { inspect } from 'node:util';
import {
  catchError,
  concatMap,
  filter,
  firstValueFrom,
  lastValueFrom,
  map,
  mergeMap,
  type Observable,
  of,
  range,
  take,
  tap,
  toArray,
} from 'rxjs';
import { NetworkError } from '../../lib/core/errors.ts';
import { type HttpResponse, readText } from '../../lib/core/transport/transport.ts';
import { connectExchange } from '../../lib/ews/connect.ts';
import type { EwsEvent } from '../../lib/ews/protocol/events.ts';
import { pullNotifications } from '../../lib/ews/pull/pull.ts';
import { pushListener } from '../../lib/ews/push/listener.ts';
import { pushNotifications } from '../../lib/ews/push/push.ts';
import type { Exchange } from '../../lib/ews/session/session.ts';
import { streamingNotifications } from '../../lib/ews/streaming/streaming.ts';
import { fetchTransport } from '../../lib/core/transport/fetch.ts';
import { nodeTransport } from '../../lib/node/nodeTransport.ts';
import { ewsSimulator, type EwsSimulator } from '../../lib/testing/ews/simulator.ts';
import { serve, type Served } from '../../lib/testing/http/serve.ts';
import { eventually } from '../support/browser/eventually.ts';
import { authority, type Authority } from '../support/net/authority.ts';
import { httpServer } from '../support/net/httpServer.ts';
import { outcomeOf } from '../support/net/outcomeOf.ts';
import { hasTinyproxy, tinyproxy, type Tinyproxy } from '../support/net/tinyproxy.ts';
import { type TlsFront, tlsFront } from '../support/net/tlsFront.ts';

const mail = { folders: ['inbox'], events: ['newMail'] } as const;

/** Emits the status when the body was read. */
const statusAfterBody = (response: HttpResponse): Observable<number> =>
  readText(response, 'x').pipe(map(() => response.status));

const VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

(hasTinyproxy() ? describe : describe.skip)(
  'nodeTransport through tinyproxy (apt-get install tinyproxy)',
  () => {
    const saved = new Map(VARIABLES.map((name) => [name, process.env[name]]));
    const closing: (() => Promise<void>)[] = [];
    let ca: Authority;
    let simulator: EwsSimulator;
    let served: Served;
    let front: TlsFront;
    let listener: ReturnType<typeof pushListener>;
    let url: string;

    before(() => (ca = authority()));
    after(() => ca.remove());

    beforeEach(async () => {
      for (const name of VARIABLES) Reflect.deleteProperty(process.env, name);
      simulator = ewsSimulator({ heartbeatSeconds: 0.05, push: fetchTransport() });
      served = await serve(simulator.transport, { allowedHosts: ['localhost'] });
      const { key, cert } = ca.issue(['localhost']);
      front = await tlsFront(served.port, { key, cert });
      listener = pushListener({ path: '/notified' });
      url = `https://localhost:${front.port}/EWS/Exchange.asmx`;
      closing.push(
        () => served.close(),
        () => front.close(),
      );
    });
    afterEach(async () => {
      listener.close();
      simulator.restart();
      for (const close of closing.splice(0)) await close();
      for (const [name, value] of saved) {
        if (value === undefined) Reflect.deleteProperty(process.env, name);
        else process.env[name] = value;
      }
    });

    const proxied = async (...directives: readonly string[]): Promise<Tinyproxy> => {
      const proxy = await tinyproxy(...directives);
      closing.unshift(() => proxy.close());
      return proxy;
    };

    const connected = (proxy: string): Exchange =>
      connectExchange({
        server: url,
        transport: nodeTransport({ proxy, ca: ca.ca }),
        retry: { initialMs: 10, retries: 1 },
      });

    /** Resolves with the types of the events until three mails have arrived, one by one. */
    const threeMails = (events$: Observable<EwsEvent>): Promise<string[]> => {
      let mails = 0;
      return firstValueFrom(
        events$.pipe(
          tap(() => {
            if (mails < 3) simulator.deliverMail();
            mails += 1;
          }),
          map(({ type }) => type),
          filter((type) => type !== 'status'),
          take(3),
          toArray(),
        ),
      );
    };

    const notifications: readonly [
      string,
      (exchange: Exchange, callbackUrl: string) => Observable<EwsEvent>,
    ][] = [
      ['pull', (exchange) => pullNotifications(exchange, { ...mail, pollIntervalSeconds: 0.1 })],
      ['streaming', (exchange) => streamingNotifications(exchange, mail)],
      [
        'push',
        (exchange, callbackUrl) =>
          pushNotifications(
            exchange,
            { ...mail, callbackUrl, statusFrequencyMinutes: 1 },
            listener.incoming$,
          ),
      ],
    ];
    for (const [type, events] of notifications) {
      it(`carries ${type} notifications by TLS in a tunnel, and leaves nothing behind`, async () => {
        const proxy = await proxied();
        const callback = await httpServer(listener.handler);
        closing.push(callback.close);
        const exchange = connected(`http://${proxy.host}`);
        expect(await threeMails(events(exchange, `${callback.url}/notified`))).to.deep.equal([
          ...['newMail', 'newMail', 'newMail'],
        ]);
        expect((await exchange.close()).clean).to.equal(true);
        // A push subscription ends when the server has read the response to a post.
        await eventually(() => expect(simulator.subscriptions).to.deep.equal([]));
        expect(proxy.log()).to.contain(`CONNECT localhost:${front.port}`).and.not.contain('EWS');
      });
    }

    it('keeps a tunnel for successive requests, as NTLM needs', async () => {
      const proxy = await proxied();
      const sockets = new Set<unknown>();
      const server = await httpServer(({ socket }, response) => {
        response.statusCode = sockets.has(socket) ? 200 : 401;
        sockets.add(socket);
        response.end('challenge');
      });
      closing.push(server.close);
      const transport = nodeTransport({ proxy: `http://${proxy.host}` });
      const statuses = await lastValueFrom(
        range(3).pipe(
          concatMap(() => transport({ method: 'GET', url: server.url }).pipe(mergeMap(statusAfterBody))),
          toArray(),
        ),
      );
      expect(statuses).to.deep.equal([401, 200, 200]);
      expect(server.connections()).to.equal(1);
    });

    it('reveals the certificate of the server to channel binding', async () => {
      const proxy = await proxied();
      const transport = nodeTransport({ proxy: `http://${proxy.host}`, ca: ca.ca });
      const certificate = await firstValueFrom(
        transport({ method: 'GET', url }).pipe(map((response) => response.peerCertificate?.())),
      );
      expect(certificate).to.be.instanceOf(Uint8Array);
    });

    it('checks the certificate of the server in the tunnel', async () => {
      const proxy = await proxied();
      expect(await outcomeOf(url, { proxy: `http://${proxy.host}` })).to.include({
        code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      });
    });

    for (const name of ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY'] as const) {
      it(`uses the proxy of ${name}`, async () => {
        const proxy = await proxied();
        process.env[name] = `http://${proxy.host}`;
        expect(await outcomeOf(url, { ca: ca.ca })).to.be.a('number');
        expect(proxy.log()).to.contain(`CONNECT localhost:${front.port}`);
      });
    }

    it('uses the proxy of HTTP_PROXY for http', async () => {
      const proxy = await proxied();
      process.env['HTTP_PROXY'] = `http://${proxy.host}`;
      expect(await outcomeOf(served.origin, {})).to.be.a('number');
      expect(proxy.log()).to.contain(`CONNECT 127.0.0.1:${served.port}`);
    });

    for (const name of ['NO_PROXY', 'no_proxy'] as const) {
      it(`connects directly to the hosts of ${name}`, async () => {
        const proxy = await proxied();
        process.env['HTTPS_PROXY'] = `http://${proxy.host}`;
        process.env[name] = 'mail.contoso.com,localhost';
        expect(await outcomeOf(url, { ca: ca.ca })).to.be.a('number');
        expect(proxy.log()).to.not.contain('CONNECT localhost');
      });
    }

    it('connects directly if proxy is false', async () => {
      const proxy = await proxied();
      process.env['HTTPS_PROXY'] = `http://${proxy.host}`;
      expect(await outcomeOf(url, { ca: ca.ca, proxy: false })).to.be.a('number');
      expect(proxy.log()).to.not.contain('CONNECT localhost');
    });

    it('sends the credentials in the URL to the proxy', async () => {
      const proxy = await proxied('BasicAuth sara hush');
      expect(await outcomeOf(url, { ca: ca.ca, proxy: `http://sara:h%75sh@${proxy.host}` })).to.be.a(
        'number',
      );
    });

    const refusals: readonly [
      title: string,
      directives: readonly string[],
      user: string,
      code: string,
      text: RegExp,
    ][] = [
      [
        'asks for credentials',
        ['BasicAuth sara hush'],
        '',
        'ERR_PROXY_AUTHENTICATION',
        /the proxy http:\/\/127\.0\.0\.1:\d+ asks for a user name and a password \(407\): write them into its URL/,
      ],
      [
        'does not accept the credentials',
        ['BasicAuth sara hush'],
        'sara:hush2@',
        'ERR_PROXY_AUTHENTICATION',
        /does not accept the user name and password in its URL \(40[17]\)/,
      ],
      [
        'does not allow the port',
        ['ConnectPort 443'],
        '',
        'ERR_PROXY_REFUSED',
        /does not allow connections to this host and port \(403\): ask its operator/,
      ],
    ];
    for (const [title, directives, user, code, text] of refusals) {
      it(`errors if the proxy ${title}`, async () => {
        const proxy = await proxied(...directives);
        const error = await outcomeOf(url, { ca: ca.ca, proxy: `http://${user}${proxy.host}` });
        expect(error).to.be.instanceOf(NetworkError).and.include({ code, isUnsent: true });
        expect(error)
          .to.have.property('message')
          .that.matches(text)
          .and.contains(`CONNECT https://localhost:`);
        expect(inspect(error)).to.not.contain('hush2');
      });
    }

    it('errors if the proxy cannot connect to the host', async () => {
      const proxy = await proxied();
      const error = await outcomeOf('https://mail.invalid/', { proxy: `http://${proxy.host}` });
      expect(error).to.include({ code: 'ERR_PROXY_REFUSED' });
      expect(error)
        .to.have.property('message')
        .that.matches(/cannot connect to this host \(\d+\): check the host/);
    });

    it('reports an error of the proxy as the status of the connection', async () => {
      const proxy = await proxied('BasicAuth sara hush');
      const exchange = connected(`http://${proxy.host}`);
      const error = await firstValueFrom(
        pullNotifications(exchange, mail).pipe(catchError((failure: unknown) => of(failure))),
      );
      expect(error).to.include({ code: 'ERR_PROXY_AUTHENTICATION' });
      expect((await exchange.close()).clean).to.equal(true);
    });
  },
);
