import { expect } from 'chai';
import { request as httpRequest, type ClientRequest } from 'node:http';
import { inspect } from 'node:util';
import {
  delayWhen,
  firstValueFrom,
  mergeMap,
  type Observable,
  of,
  ReplaySubject,
  Subject,
  type Subscription,
  take,
  toArray,
} from 'rxjs';
import { fetchTransport } from '../../../lib/core/transport/fetch.ts';
import type { Transport } from '../../../lib/core/transport/transport.ts';
import type { SoapFault } from '../../../lib/ews/protocol/errors.ts';
import type { EwsEvent } from '../../../lib/ews/protocol/events.ts';
import { pushNotifications, type PushOptions } from '../../../lib/ews/push/push.ts';
import {
  pushListener,
  type PushListener,
  type PushListenerOptions,
  type RefusedPost,
} from '../../../lib/ews/push/listener.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { type Exchange } from '../../../lib/ews/session/session.ts';
import { ewsSimulator, type EwsSimulator } from '../../../lib/testing/ews/simulator.ts';
import { serve, type Served } from '../../../lib/testing/http/serve.ts';
import { httpServer, type SpecServer } from '../../support/net/httpServer.ts';
import { response } from '../../support/responses.ts';
import { envelope } from '../answers.ts';
import { postedEvents, postedMessage, sendNotification } from './posted.ts';
import { callbackUrlsOf } from './pushing.ts';

interface Answer {
  readonly status: number;
  /** `OK` or `Unsubscribe`; empty for a refusal. */
  readonly said: string;
}

async function post(url: string, body: string): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'text/xml', 'x-stranger': '1' },
  });
  return { status: response.status, said: /Status>(\w+)</.exec(await response.text())?.[1] ?? '' };
}

const ENDED: Answer = { status: 200, said: 'Unsubscribe' };

describe('The callback URL', () => {
  let server: EwsSimulator;
  let served: Served;
  let listener: PushListener;
  let callback: SpecServer;
  let exchange: Exchange;
  let events: EwsEvent[];
  let refused: RefusedPost[];
  let watching: Subscription | undefined;
  let recorded: unknown[];
  /** Emits when a post of a stranger was read to its end, or answered. */
  let handled$: Subject<void>;
  /** The responses to the server's own posts. */
  let statuses: number[];
  /** Delays the Subscribe request. */
  let subscribable: ReplaySubject<void>;
  /** Delays its response until the first post of the server, as a slow network does. */
  let posted: ReplaySubject<void>;

  const begin = async (options: PushListenerOptions = {}): Promise<void> => {
    events = [];
    refused = [];
    recorded = [];
    statuses = [];
    watching = undefined;
    handled$ = new Subject();
    subscribable = new ReplaySubject(1);
    posted = new ReplaySubject(1);
    listener = pushListener({ path: '/notified', ...options });
    listener.refused$.subscribe((one) => refused.push(one));
    callback = await httpServer((request, response) => {
      let isHandled = false;
      const isStranger = request.headers['x-stranger'] !== undefined;
      const handled = (): void => {
        if (isHandled) return;
        isHandled = true;
        if (isStranger) handled$.next();
        else posted.next();
      };
      request.on('end', handled);
      response.on('finish', () => {
        handled();
        if (!isStranger) statuses.push(response.statusCode);
      });
      listener.handler(request, response);
    });
    server = ewsSimulator({ push: fetchTransport() });
    served = await serve((request) => server.transport(request).pipe(delayWhen(() => posted.pipe(take(1)))));
    const transport = fetchTransport();
    const waiting: Transport = (request) =>
      subscribable.pipe(
        take(1),
        mergeMap(() => transport(request)),
      );
    exchange = connectExchange({ server: `${served.origin}/EWS/Exchange.asmx`, transport: waiting });
    exchange.activity$.subscribe((activity) => recorded.push(activity));
  };

  beforeEach(() => begin());

  const end = async (): Promise<void> => {
    watching?.unsubscribe();
    listener.close();
    server.restart();
    await served.close();
    await callback.close();
  };

  afterEach(end);

  const push = (more: Partial<PushOptions> = {}): Observable<EwsEvent> =>
    pushNotifications(
      exchange,
      {
        folders: ['inbox'],
        events: ['newMail'],
        callbackUrl: `${callback.url}/notified`,
        statusFrequencyMinutes: 1,
        ...more,
      },
      listener.incoming$,
    );

  /** Subscribes, and resolves when the server has posted. */
  const subscribed = async (more: Partial<PushOptions> = {}): Promise<{ id: string; url: string }> => {
    subscribable.next();
    const first = new Promise<void>((resolve, reject) => {
      const one = push(more).subscribe({
        next: (event) => {
          events.push(event);
          resolve();
        },
        error: reject,
      });
      if (watching === undefined) watching = one;
      else watching.add(one);
    });
    await first;
    return { id: server.subscriptions.at(-1)!.id, url: callbackUrlsOf({ server }).at(-1)! };
  };

  const types = (): string[] => events.map(({ type }) => type);

  /** A post that starts, and never ends. */
  const stalled = (url: string): { request: ClientRequest; status: Promise<number | undefined> } => {
    const request = httpRequest(url, { method: 'POST', headers: { 'content-type': 'text/xml' } });
    const status = new Promise<number | undefined>((resolve) => {
      request.on('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', () => resolve(undefined));
    });
    request.write('<');
    return { request, status };
  };

  it('emits nothing that is posted without the secret', async () => {
    const { id } = await subscribed();
    expect(await post(`${callback.url}/notified`, postedEvents(id, ['W1']))).to.deep.equal(ENDED);
    expect(types()).to.deep.equal(['status']);
    expect(server.subscriptions).to.have.length(1);
  });

  it('emits nothing that is posted with a wrong secret', async () => {
    const { id, url } = await subscribed();
    const [, secret = ''] = /=(\w+)$/.exec(url) ?? [];
    for (const wrong of [secret.slice(1), `${secret}0`, secret.replaceAll(/\w/g, '0'), '', `%00${secret}`]) {
      const to = `${callback.url}/notified?pushKey=${wrong}`;
      expect(await post(to, postedEvents(id, ['W1'])), to).to.deep.equal(ENDED);
    }
    expect(types()).to.deep.equal(['status']);
  });

  it('emits nothing that is posted with the secret of another subscription', async () => {
    const one = await subscribed();
    const other = await subscribed();
    expect(one.url).to.not.equal(other.url);
    expect(await post(one.url, postedEvents(other.id, ['W1']))).to.deep.equal(ENDED);
    expect(types()).to.deep.equal(['status', 'status']);
  });

  it('continues a subscription whose id strangers have named', async () => {
    const { id } = await subscribed();
    await post(`${callback.url}/notified`, postedEvents(id, ['W1']));
    watching?.add(push().subscribe());
    const next = firstValueFrom(push());
    server.deliverMail();
    await next;
    expect(types()).to.deep.equal(['status', 'newMail']);
  });

  it('refuses a post that guesses 200 ids, with or without the secret', async () => {
    const { id, url } = await subscribed();
    const guesses = Array.from({ length: 199 }, (_, index) => postedMessage(`S${index}`, []));
    const guess = sendNotification(...guesses, postedMessage(id, ['W1']));
    expect((await post(`${callback.url}/notified`, guess)).status).to.equal(400);
    expect((await post(url, guess)).status).to.equal(400);
    expect(types()).to.deep.equal(['status']);
    expect(refused[0]?.problem).to.equal('Posted notification: expected one SubscriptionId.');
  });

  it('notifies a new subscription while strangers post unknown ids', async () => {
    const flood$ = firstValueFrom(handled$.pipe(take(150), toArray()));
    const first = firstValueFrom(push());
    const flood = Array.from({ length: 150 }, (_, index) =>
      post(`${callback.url}/notified`, postedEvents(`S${index}`, [])),
    );
    await flood$;
    subscribable.next();
    await first;
    expect(statuses).to.deep.equal([200]);
    for (const { status } of await Promise.all(flood)) expect(status).to.be.oneOf([200, 503]);
  });

  it('ends left-over subscriptions that unknown posts are for', async () => {
    const { url } = await subscribed();
    expect(await post(`${callback.url}/notified`, postedEvents('S9', []))).to.deep.equal(ENDED);
    expect(await post(url, postedEvents('S9', []))).to.deep.equal(ENDED);
  });

  it('quotes no more than 200 characters of a body in refused$', async () => {
    await subscribed();
    const long = 'x'.repeat(40_000);
    const bodies = [
      `<${long}></${long}>`,
      postedEvents('S1', []).replace('</soap11:Body>', `<${long}></${long}y></soap11:Body>`),
      postedEvents('S1', []).replace(
        '<m:ResponseMessages>',
        `<${long}/><m:ResponseMessages a="\u001B[31m&b;">`,
      ),
    ];
    for (const body of bodies) {
      expect((await post(`${callback.url}/notified`, body)).status).to.equal(400);
    }
    for (const { problem } of refused) {
      expect(problem.length).to.be.below(200);
      expect(problem).to.not.match(/xxx|\u001B/);
    }
    expect(refused).to.have.length(3);
  });

  it('refuses a large post without a secret', async () => {
    const { id, url } = await subscribed();
    const large = postedEvents(id, []) + ' '.repeat(131_072);
    for (const to of [`${callback.url}/notified`, url.slice(0, -1)]) {
      expect((await post(to, large)).status).to.equal(413);
    }
    const declared = { status: 413, problem: 'It has more than 131072 bytes.' };
    expect(refused).to.deep.equal([declared, declared]);
    expect(await post(url, large)).to.deep.equal({ status: 200, said: 'OK' });
  });

  it('refuses an unfinished large post without a secret, and reads others', async () => {
    await end();
    await begin({ maxUnknown: 1 });
    await subscribed();
    const { request, status } = stalled(`${callback.url}/notified`);
    request.write('s:Envelope><s:Body><m:SendNotification><m:ResponseMessages>' + ' '.repeat(131_072));
    expect(await status).to.equal(413);
    expect(await post(`${callback.url}/notified`, postedEvents('S9', []))).to.deep.equal(ENDED);
  });

  it('reads no more than maxUnknown posts of strangers at the same time', async () => {
    await end();
    await begin({ maxUnknown: 3 });
    const { url } = await subscribed();
    const slow = Array.from({ length: 4 }, () => stalled(`${callback.url}/notified`));
    expect(await Promise.race(slow.map(({ status }) => status))).to.equal(503);
    expect((await post(`${callback.url}/notified`, postedEvents('S9', []))).status).to.equal(503);
    expect((await post(url, postedEvents('S9', []))).status).to.equal(200);
    for (const { request } of slow) request.destroy();
  });

  it('reads others again after a slow stranger was refused', async () => {
    await end();
    await begin({ maxUnknown: 1, timeoutSeconds: 0.3 });
    await subscribed();
    const { status } = stalled(`${callback.url}/notified`);
    expect(await status).to.equal(408);
    expect(await post(`${callback.url}/notified`, postedEvents('S9', []))).to.deep.equal(ENDED);
  });

  for (const callbackSecret of [true, false]) {
    it(`shows no query of a quoted callback URL, callbackSecret ${callbackSecret}`, () => {
      let quoted = '';
      const quoting: Transport = ({ url, body = '' }) => {
        [, quoted = ''] = /<t:URL>([^<]*)</.exec(body) ?? [];
        const violation = `The 'URL' element is invalid - The value '${quoted}' is invalid`;
        const detail =
          `<e:ResponseCode>ErrorSchemaValidation</e:ResponseCode><e:Message>${violation}</e:Message>` +
          `<t:MessageXml><t:Violation>${violation}</t:Violation><t:Value Name="URL">${quoted}</t:Value></t:MessageXml>`;
        const fault = `<s:Fault><faultcode>a</faultcode><faultstring>b</faultstring><detail>${detail}</detail></s:Fault>`;
        const headers = { 'content-type': 'text/xml' };
        return of({ ...response(500, { headers, body: [envelope(fault)] }), url });
      };
      const { href } = new URL('https://me.contoso.com/notified?key=hush');
      const errors: unknown[] = [];
      pushNotifications(
        connectExchange({ server: 'https://mail.contoso.com/EWS', transport: quoting }),
        { folders: ['inbox'], events: ['newMail'], callbackUrl: href, callbackSecret },
        listener.incoming$,
      ).subscribe({ error: (error: unknown) => errors.push(error) });
      expect(quoted).to.contain(href);
      expect(errors[0]).to.include({ name: 'SoapFault', code: 'ErrorSchemaValidation' });
      expect(inspect(errors[0], { depth: 8 }))
        .to.contain("The value 'https://me.contoso.com/notified?…' is invalid")
        .and.not.contain('hush')
        .and.not.contain('pushKey');
      expect((errors[0] as SoapFault).values.get('URL')).to.equal('https://me.contoso.com/notified?…');
    });
  }

  it('never shows the secret', async () => {
    const { url, id } = await subscribed();
    const incoming = firstValueFrom(listener.incoming$);
    await post(url, '<a>');
    await post(url, postedEvents(id, ['W1']));
    watching?.unsubscribe();
    const [, secret = ''] = /=(\w+)$/.exec(url) ?? [];
    expect(secret).to.have.length(32);
    const { url: given, ...notification } = await incoming;
    for (const value of [exchange, recorded, refused, events, listener, given, notification, server.posts]) {
      expect(inspect(value, { depth: 8 })).to.not.contain(secret);
    }
    expect(JSON.stringify([recorded, refused, events, server.posts])).to.not.contain(secret);
  });
});
