import { expect } from 'chai';
import { delay, noop, of } from 'rxjs';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { suspendOnPageHide } from '../../../lib/core/lifecycle/closing.ts';
import type { HttpRequest, Transport } from '../../../lib/core/transport/transport.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { pullNotifications } from '../../../lib/ews/pull/pull.ts';
import { streamingNotifications } from '../../../lib/ews/streaming/streaming.ts';
import { ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { ucwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { batching } from '../../../lib/ucwa/batch/batched.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import { existingApplication } from '../../../lib/ucwa/discovery/server.ts';
import { presence } from '../../../lib/ucwa/presence/presence.ts';
import { response } from '../../support/responses.ts';
import { at, inVirtualTime } from '../../support/virtualTime.ts';

const INBOX = { folders: ['inbox'], events: ['newMail'] } as const;

describe('suspendOnPageHide', () => {
  it('rejects anything but a connection', () => {
    for (const value of [undefined, {}])
      expect(() => suspendOnPageHide(value as never)).to.throw(TypeError, 'what connectUcwa() or');
  });

  let page: EventTarget;
  let sent: HttpRequest[];

  beforeEach(() => {
    page = new EventTarget();
    sent = [];
  });

  const watched =
    (transport: Transport): Transport =>
    (request) => {
      sent.push(request);
      return transport(request);
    };
  const hide = (): void => {
    sent = [];
    page.dispatchEvent(new Event('pagehide'));
  };
  const show = (): boolean => page.dispatchEvent(new Event('pageshow'));
  const releases = (): string[] => sent.map(({ method, keepalive }) => `${method} ${keepalive === true}`);
  const uris = (count: number): string[] =>
    Array.from({ length: count }, (_, index) => `sip:user${index}@contoso.com`);

  for (const [name, batch] of [
    ['', {}],
    [', with batches', { batch: batching() }],
  ] as const) {
    it(`deletes 400 presences on UCWA with one request${name}`, async () => {
      const server = ucwaSimulator({ mediumSeconds: 0 });
      const transport = watched(server.transport);
      const ucwa = connectUcwa({ server: server.url, auth: bearer('secret'), transport, ...batch });
      suspendOnPageHide(ucwa, page);
      for (const uri of uris(400)) presence(ucwa, { uris: [uri] }).subscribe();
      await Promise.resolve();
      hide();
      expect(releases()).to.deep.equal(['DELETE true']);
      expect(server.applications).to.be.empty;
      expect(server.presenceSubscriptions).to.be.empty;
      expect(await ucwa.drain()).to.include({ clean: true });
    });
  }

  it('continues UCWA streams on pageshow, with a gap', () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    const seen: string[] = [];
    inVirtualTime(() => {
      const ucwa = connectUcwa({
        server: server.url,
        auth: bearer('secret'),
        transport: watched(server.transport),
      });
      suspendOnPageHide(ucwa, page);
      const watching = presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe(({ type }) => {
        seen.push(type);
      });
      at(100, () => {
        seen.length = 0;
        hide();
      });
      at(2000, () => {
        expect(releases()).to.deep.equal(['DELETE true']);
        expect(seen).to.be.empty;
        show();
        expect(seen[0]).to.equal('gap');
      });
      at(2001, () => {
        expect(server.presenceSubscriptions).to.have.length(1);
        seen.length = 0;
        server.setPresence('sip:sara@contoso.com', { availability: 'Busy' });
      });
      at(2002, () => {
        expect(seen).to.deep.equal(['updated']);
        watching.unsubscribe();
      });
    });
    expect(server.applications).to.be.empty;
  });

  it('deletes an application in its grace period without creating another', () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    const transport = watched(server.transport);
    const ucwa = connectUcwa({ server: server.url, auth: bearer('secret'), transport, graceSeconds: 60 });
    suspendOnPageHide(ucwa, page);
    ucwa.application$.subscribe().unsubscribe();
    expect(server.applications).to.have.length(1);
    hide();
    expect(releases()).to.deep.equal(['DELETE true']);
    show();
    expect(server.applications).to.be.empty;
  });

  it('deletes the application while the server does not respond', () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    let isDown = false;
    const transport = watched((request) =>
      isDown ? of({ ...response(503), url: request.url }).pipe(delay(10)) : server.transport(request),
    );
    inVirtualTime(() => {
      const ucwa = connectUcwa({ server: server.url, auth: bearer('secret'), transport, batch: batching() });
      suspendOnPageHide(ucwa, page);
      for (const uri of uris(3)) presence(ucwa, { uris: [uri] }).subscribe();
      at(10, () => {
        isDown = true;
        ucwa.get({ href: '/down' }).subscribe({ error: noop });
      });
      at(100, () => {
        hide();
        expect(releases()).to.deep.equal(['DELETE true']);
        isDown = false;
        void ucwa.close();
      });
    });
    expect(server.applications).to.be.empty;
  });

  it('removes the presences of a given application, and continues with a gap', () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    const auth = bearer('secret');
    const seen: string[] = [];
    inVirtualTime(() => {
      const owner = connectUcwa({ server: server.url, auth, transport: server.transport });
      owner.application$.subscribe();
      const transport = watched(server.transport);
      const ucwa = connectUcwa({ server: existingApplication(`${server.url}/101`), auth, transport });
      suspendOnPageHide(ucwa, page);
      presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe(({ type }) => seen.push(type));
      at(1, () => {
        hide();
        expect(releases()).to.deep.equal(['DELETE true']);
        expect(server.presenceSubscriptions).to.be.empty;
        expect(server.applications).to.have.length(1);
        seen.length = 0;
      });
      at(2, show);
      at(3, () => {
        expect(seen).to.contain('gap');
        expect(server.presenceSubscriptions).to.have.length(1);
        void ucwa.close();
        void owner.close();
      });
    });
    expect(server.applications).to.be.empty;
  });

  it('unsubscribes 50 pulls on Exchange in the same turn', async () => {
    const server = ewsSimulator();
    const exchange = connectExchange({ server: server.url, transport: watched(server.transport) });
    suspendOnPageHide(exchange, page);
    let ended = 0;
    for (let pull = 0; pull < 50; pull += 1)
      pullNotifications(exchange, INBOX).subscribe({ complete: () => (ended += 1) });
    expect(server.subscriptions).to.have.length(50);
    hide();
    expect(releases()).to.deep.equal(Array(50).fill('POST true'));
    expect(ended).to.equal(0);
    expect(server.subscriptions).to.be.empty;
    expect((await exchange.drain()).clean).to.equal(true);
  });

  it('sends releases that wait for other requests', () => {
    const server = ewsSimulator({ latencyMs: 1000 });
    inVirtualTime(() => {
      const exchange = connectExchange({
        server: server.url,
        transport: watched(server.transport),
        maxConcurrentRequests: 1,
      });
      suspendOnPageHide(exchange, page);
      const pulls = [1, 2, 3, 4].map(() => pullNotifications(exchange, INBOX).subscribe());
      at(10, () => {
        for (const pull of pulls.slice(1)) pull.unsubscribe();
        hide();
        expect(releases()).to.deep.equal(Array(3).fill('POST true'));
      });
    });
    expect(server.subscriptions).to.be.empty;
  });

  it('continues a pull on pageshow, from its watermark', () => {
    const server = ewsSimulator();
    const seen: string[] = [];
    inVirtualTime(() => {
      const exchange = connectExchange({ server: server.url, transport: watched(server.transport) });
      suspendOnPageHide(exchange, page);
      const watching = pullNotifications(exchange, { ...INBOX, pollIntervalSeconds: 1 }).subscribe(
        ({ type }) => seen.push(type),
      );
      at(10, hide);
      at(20, () => {
        server.deliverMail();
        seen.length = 0;
      });
      at(2000, () => {
        expect(sent).to.have.length(1);
        show();
      });
      at(2010, () => watching.unsubscribe());
    });
    expect(seen.filter((type) => type !== 'status')).to.deep.equal(['newMail']);
    expect(server.subscriptions).to.be.empty;
  });

  it('continues a streaming subscription on pageshow, with a gap', () => {
    const server = ewsSimulator();
    const seen: unknown[] = [];
    inVirtualTime(() => {
      const exchange = connectExchange({ server: server.url, transport: watched(server.transport) });
      suspendOnPageHide(exchange, page);
      const watching = streamingNotifications(exchange, INBOX).subscribe((event) =>
        seen.push(event.type === 'gap' ? event.reason : event.type),
      );
      at(10, hide);
      at(20, () => {
        expect(server.subscriptions).to.be.empty;
        expect(server.streams).to.be.empty;
        seen.length = 0;
        show();
      });
      at(30, () => server.deliverMail());
      at(40, () => watching.unsubscribe());
    });
    expect(seen.filter((type) => type !== 'status')).to.deep.equal(['suspended', 'newMail']);
    expect(server.subscriptions).to.be.empty;
  });

  it('sends EWS releases to an unavailable server, and again on pageshow', () => {
    const server = ewsSimulator();
    let isDown = false;
    const transport = watched((request) =>
      isDown ? of({ ...response(503), url: request.url }).pipe(delay(10)) : server.transport(request),
    );
    inVirtualTime(() => {
      const exchange = connectExchange({ server: server.url, transport });
      suspendOnPageHide(exchange, page);
      const pulls = [1, 2, 3].map(() => pullNotifications(exchange, INBOX).subscribe());
      at(10, () => {
        isDown = true;
        pulls[0]?.unsubscribe();
      });
      at(100, () => {
        hide();
        expect(releases()).to.deep.equal(Array(3).fill('POST true'));
      });
      at(120, () => {
        isDown = false;
        sent = [];
        show();
      });
      at(130, () => {
        const unsubscribed = sent.filter(({ body = '' }) => body.includes('<m:Unsubscribe>'));
        expect(unsubscribed).to.have.length(3);
        expect(server.subscriptions).to.have.length(2);
        void exchange.close();
      });
    });
    expect(server.subscriptions).to.be.empty;
  });

  it('leaves the connection alone when it is unsubscribed from', () => {
    const server = ewsSimulator();
    const exchange = connectExchange({ server: server.url, transport: watched(server.transport) });
    suspendOnPageHide(exchange, page).unsubscribe();
    pullNotifications(exchange, INBOX).subscribe();
    hide();
    expect(server.subscriptions).to.have.length(1);
    void exchange.close();
  });

  it('does nothing without a page', () => {
    const exchange = connectExchange({ server: 'https://mail.contoso.com/EWS/Exchange.asmx' });
    suspendOnPageHide(exchange).unsubscribe();
    suspendOnPageHide(exchange, {});
  });
});
