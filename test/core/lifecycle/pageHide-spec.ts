import { expect } from 'chai';
import { delay, noop, of } from 'rxjs';
import { closeOnPageHide } from '../../../lib/core/lifecycle/pageHide.ts';
import type { HttpRequest, Transport } from '../../../lib/core/transport/transport.ts';
import { releaseLedger } from '../../../lib/core/lifecycle/ledger.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { pullNotifications } from '../../../lib/ews/pull/pull.ts';
import { ewsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { ucwaSimulator } from '../../../lib/testing/ucwa/simulator.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import { presence } from '../../../lib/ucwa/presence/presence.ts';
import { at, inVirtualTime } from '../../support/virtualTime.ts';
import { response } from '../../support/responses.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { batching } from '../../../lib/ucwa/batch/batched.ts';

describe('closeOnPageHide', () => {
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
  const goes = (): boolean => page.dispatchEvent(new Event('pagehide'));

  it('unsubscribes on Exchange by a keepalive request while the page closes', async () => {
    const server = ewsSimulator();
    const service = connectExchange({ server: server.url, transport: watched(server.transport) });
    closeOnPageHide(service, page);
    let isComplete = false;
    pullNotifications(service, { folders: ['inbox'], events: ['newMail'] }).subscribe({
      complete: () => (isComplete = true),
    });
    sent = [];
    goes();
    // At once: a page that goes is not given another turn.
    expect(sent.map(({ keepalive }) => keepalive)).to.deep.equal([true]);
    expect(isComplete).to.equal(true);
    expect(server.subscriptions).to.deep.equal([]);
    expect((await service.drain()).clean).to.equal(true);
  });

  it('deletes on a UCWA server by requests that outlive the page', async () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    const transport = watched(server.transport);
    const ucwa = connectUcwa({ server: server.url, auth: bearer('secret'), transport, batch: batching() });
    closeOnPageHide(ucwa, page);
    presence(ucwa, { uris: ['sip:sara@contoso.com'] }).subscribe();
    sent = [];
    goes();
    await ucwa.drain();
    expect(sent.map(({ method, keepalive }) => `${method} ${keepalive === true}`)).to.deep.equal([
      'DELETE true',
      'DELETE true',
    ]);
    expect(server.presenceSubscriptions).to.deep.equal([]);
    expect(server.applications).to.deep.equal([]);
  });

  it('deletes an application in its grace period in the same turn', () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    const transport = watched(server.transport);
    const ucwa = connectUcwa({ server: server.url, auth: bearer('secret'), transport, graceSeconds: 60 });
    closeOnPageHide(ucwa, page);
    ucwa.application$.subscribe().unsubscribe();
    expect(server.applications).to.have.length(1);
    sent = [];
    goes();
    expect(sent.map(({ method, keepalive }) => `${method} ${keepalive === true}`)).to.deep.equal([
      'DELETE true',
    ]);
    expect(server.applications).to.deep.equal([]);
  });

  it('sends UCWA releases that wait for a server without an answer', () => {
    const server = ucwaSimulator({ mediumSeconds: 0 });
    let isDown = false;
    const transport = watched((request) =>
      isDown ? of({ ...response(503), url: request.url }).pipe(delay(10)) : server.transport(request),
    );
    inVirtualTime(() => {
      const ucwa = connectUcwa({ server: server.url, auth: bearer('secret'), transport, batch: batching() });
      closeOnPageHide(ucwa, page);
      const uris = ['sip:a@contoso.com', 'sip:b@contoso.com', 'sip:c@contoso.com'];
      const [waiting] = uris.map((uri) => presence(ucwa, { uris: [uri] }).subscribe());
      at(10, () => {
        isDown = true;
        ucwa.get({ href: '/down' }).subscribe({ error: noop });
        waiting?.unsubscribe();
      });
      at(100, () => {
        sent = [];
        goes();
        expect(sent.map(({ method, keepalive }) => `${method} ${keepalive === true}`)).to.deep.equal([
          'DELETE true',
          'POST true',
        ]);
        isDown = false;
      });
    });
    expect(server.presenceSubscriptions).to.deep.equal([]);
  });

  it('sends EWS releases that wait for a server without an answer', () => {
    const server = ewsSimulator();
    let isDown = false;
    const transport = watched((request) =>
      isDown ? of({ ...response(503), url: request.url }).pipe(delay(10)) : server.transport(request),
    );
    inVirtualTime(() => {
      const service = connectExchange({ server: server.url, transport });
      closeOnPageHide(service, page);
      const pulls = [1, 2, 3].map(() =>
        pullNotifications(service, {
          folders: ['inbox'],
          events: ['newMail'],
          pollIntervalSeconds: 1,
        }).subscribe(),
      );
      at(10, () => {
        isDown = true;
        pulls[0]?.unsubscribe();
      });
      at(100, () => {
        sent = [];
        goes();
        const isUnsubscribe = ({ body = '', keepalive }: HttpRequest): boolean =>
          keepalive === true && body.includes('Unsubscribe');
        expect(sent.map(isUnsubscribe)).to.deep.equal([true, true, true]);
        isDown = false;
      });
    });
    expect(server.subscriptions).to.deep.equal([]);
  });

  it('leaves the connection alone when it is unsubscribed from', () => {
    const ledger = releaseLedger();
    closeOnPageHide(ledger, page).unsubscribe();
    goes();
    expect(ledger.isClosed).to.equal(false);
  });

  it('does nothing without a page', () => {
    const ledger = releaseLedger();
    closeOnPageHide(ledger).unsubscribe();
    closeOnPageHide(ledger, {});
    expect(ledger.isClosed).to.equal(false);
  });
});
