import { expect } from 'chai';
import { EMPTY, NEVER, type Observable, of, Subscription } from 'rxjs';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  type Transport,
} from '../lib/core/transport/transport.ts';
import { pullNotifications } from '../lib/ews/pull/pull.ts';
import { connectExchange } from '../lib/ews/connect.ts';
import { summarize } from '../lib/testing/ews/requests/readRequest.ts';
import { connectUcwa } from '../lib/ucwa/connect.ts';
import { presence } from '../lib/ucwa/presence/presence.ts';
import { APPLICATION, applicationResource } from './bench/ucwaEvents.ts';
import { answer, eventsAnswer } from './ews/answers.ts';
import { response } from './support/responses.ts';
import { bearer } from '../lib/core/auth/auth.ts';

const ORIGIN = 'https://server.contoso.com';

const json = (url: string, body: string): HttpResponse => ({
  ...response(201, { headers: { 'content-type': 'application/json' }, body: [body] }),
  url,
});

/** Presence subscriptions on a server that responds at once, and has no events. */
function watching(): {
  readonly requests: HttpRequest[];
  readonly one: (index: number) => Observable<unknown>;
} {
  const requests: HttpRequest[] = [];
  const transport: Transport = (request) => {
    requests.push(request);
    const { method, url } = request;
    if (method === 'GET') return NEVER;
    if (method === 'DELETE') return of({ status: 204, url, headers: headersFrom({}), body$: EMPTY });
    if (!url.endsWith('presenceSubscriptions')) return of(json(url, applicationResource()));
    const href = `${APPLICATION}/people/presenceSubscriptions/${requests.length}`;
    return of(json(url, JSON.stringify({ _links: { self: { href } } })));
  };
  const ucwa = connectUcwa({ server: `${ORIGIN}/applications`, auth: bearer('secret'), transport });
  return { requests, one: (index) => presence(ucwa, { uris: [`sip:user${index}@contoso.com`] }) };
}

/** Pull subscriptions on a server that responds at once, and has no events. */
function polling(): ReturnType<typeof watching> {
  const requests: HttpRequest[] = [];
  const transport: Transport = (request) => {
    requests.push(request);
    const { operation = '', subscriptionId } = summarize(request.body ?? '');
    const text =
      operation === 'GetEvents'
        ? eventsAnswer('<t:StatusEvent/>', subscriptionId)
        : answer(
            operation,
            '<m:ResponseCode>NoError</m:ResponseCode>' +
              (operation === 'Subscribe' ? `<m:SubscriptionId>${requests.length}</m:SubscriptionId>` : ''),
          );
    return of(response(200, { headers: { 'content-type': 'text/xml' }, body: [text] }));
  };
  const exchange = connectExchange({ server: `${ORIGIN}/EWS/Exchange.asmx`, transport });
  return { requests, one: () => pullNotifications(exchange, { folders: ['inbox'], events: ['newMail'] }) };
}

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

describe('A live stream among thousands', () => {
  let all = new Subscription();
  const keep = (count: number, one: (index: number) => Observable<unknown>): void => {
    for (let index = 0; index < count; index += 1) all.add(one(index).subscribe());
  };

  beforeEach(() => {
    all = new Subscription();
  });

  for (const [name, streams] of [
    ['presence', watching],
    ['pull', polling],
  ] as const) {
    it(`has no timer of its own: ${name}`, () => {
      const { one } = streams();
      const before = timers();
      keep(1, one);
      const some = timers();
      expect(some).to.be.greaterThan(before);
      keep(1000, one);
      expect(timers()).to.equal(some);
      all.unsubscribe();
      expect(timers()).to.be.lessThan(some);
    });
  }

  it('sends no request of its own if one returns all events', () => {
    const { requests, one } = watching();
    keep(1000, one);
    expect(requests.filter(({ method }) => method === 'GET')).to.have.length(1);
    all.unsubscribe();
  });
});
