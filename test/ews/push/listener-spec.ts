import { expect } from 'chai';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { firstValueFrom, Subject, take, toArray } from 'rxjs';
import type { PushRequest, NodeRequestLike } from '../../../lib/ews/push/pushRequest.ts';
import {
  pushListener,
  type NodeResponseLike,
  type PushListener,
  type PushListenerOptions,
  type RefusedPost,
} from '../../../lib/ews/push/listener.ts';
import { routerOf } from '../../../lib/ews/push/router.ts';
import { httpServer, type SpecServer } from '../../support/net/httpServer.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { postedEvents } from './posted.ts';

const XML = { 'content-type': 'text/xml; charset=utf-8' };

describe('pushListener', () => {
  let served: SpecServer | undefined;
  let listener: PushListener;
  const refused: RefusedPost[] = [];
  const events: string[] = [];

  const listen = async (options: PushListenerOptions = {}, withSubscriber = true): Promise<string> => {
    listener = pushListener(options);
    refused.length = 0;
    events.length = 0;
    listener.refused$.subscribe((one) => refused.push(one));
    if (withSubscriber) {
      routerOf(listener.incoming$)
        .senderFor(undefined)
        .messagesFor('S1')
        .subscribe({
          next: ({ notifications }) =>
            events.push(...notifications.flatMap((one) => one.events.map(({ type }) => type))),
          error: () => events.push('error'),
        });
    }
    served = await httpServer(listener.handler);
    return served.url;
  };

  afterEach(async () => {
    await served?.close();
    served = undefined;
  });

  const post = async (
    url: string,
    body: string,
    headers: Record<string, string> = XML,
  ): Promise<{ status: number; text: string; headers: Headers }> => {
    const response = await fetch(url, { method: 'POST', body, headers });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };

  it('emits each post, and sends the response', async () => {
    const url = await listen();
    const { status, text, headers } = await post(url, postedEvents('S1', ['W1', 'W2']));
    expect(status).to.equal(200);
    expect(headers.get('content-type')).to.equal('text/xml; charset=utf-8');
    expect(text).to.contain('<m:SubscriptionStatus>OK</m:SubscriptionStatus>');
    expect(events).to.deep.equal(['newMail', 'newMail']);
    expect((await post(url, postedEvents('S2', []))).text).to.contain('>Unsubscribe<');
    expect(refused).to.deep.equal([]);
    expect(headers.get('connection'), 'the connection stays open').to.equal('keep-alive');
  });

  it('separates concurrent posts', async () => {
    const url = await listen();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => post(url, postedEvents(index % 2 === 0 ? 'S1' : 'S2', ['W']))),
    );
    expect(answers.map(({ text }) => text.includes('>OK<'))).to.deep.equal(
      answers.map((_, index) => index % 2 === 0),
    );
  });

  it('accepts only POST, and names it in the response', async () => {
    const url = await listen();
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      const response = await fetch(url, { method });
      expect([response.status, response.headers.get('allow')]).to.deep.equal([405, 'POST']);
    }
    expect(refused[0]).to.deep.equal({ status: 405, problem: 'It was no POST.' });
  });

  it('accepts only its path, with any query', async () => {
    const url = await listen({ path: '/notified/5up3r53cr3t' });
    for (const path of [
      '/',
      '/notified/5up3r53cr3',
      '/notified/5up3r53cr3tt',
      '/notified/5up3r53crXt',
      '/?/notified/5up3r53cr3t',
    ]) {
      expect((await post(`${url}${path}`, postedEvents('S1', []))).status, path).to.equal(404);
    }
    expect((await post(`${url}/notified/5up3r53cr3t?a=b`, postedEvents('S1', []))).status).to.equal(200);
    expect(JSON.stringify(refused)).to.not.contain('5up3r53cr3');
  });

  it('accepts only XML', async () => {
    const url = await listen();
    for (const type of ['text/html', 'application/json', 'application/x-www-form-urlencoded']) {
      expect((await post(url, postedEvents('S1', []), { 'content-type': type })).status, type).to.equal(415);
    }
    for (const type of ['text/xml', 'application/xml', 'application/soap+xml; charset=utf-8']) {
      expect((await post(url, postedEvents('S1', []), { 'content-type': type })).status, type).to.equal(200);
    }
  });

  it('rejects a body that is too large by its Content-Length', async () => {
    const url = await listen({ maxBytes: 2000 });
    expect((await post(url, postedEvents('S1', []))).status).to.equal(200);
    expect(
      (
        await post(
          url,
          postedEvents(
            'S1',
            Array.from({ length: 20 }, () => 'W'),
          ),
        )
      ).status,
    ).to.equal(413);
    expect(refused).to.deep.equal([{ status: 413, problem: 'It has more than 2000 bytes.' }]);
  });

  it('rejects a body that becomes too large, and stops reading', async () => {
    const url = await listen({ maxBytes: 2000 });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const outgoing = httpRequest(url, { method: 'POST', headers: XML }, (response) => {
        response.resume();
        resolve(response.statusCode);
        outgoing.destroy();
      });
      outgoing.on('error', reject);
      outgoing.write(postedEvents('S1', []).slice(0, 500));
      outgoing.write(`<!--${'x'.repeat(3000)}`);
    });
    expect(status).to.equal(413);
    expect(refused).to.deep.equal([{ status: 413, problem: 'It has more than 2000 bytes.' }]);
    expect(events).to.deep.equal([]);
  });

  it('rejects a body that is too slow', async () => {
    const url = await listen({ timeoutSeconds: 0.05 });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const outgoing = httpRequest(url, { method: 'POST', headers: XML }, (response) => {
        response.resume();
        resolve(response.statusCode);
        outgoing.destroy();
      });
      outgoing.on('error', reject);
      outgoing.write('<');
    });
    expect(status).to.equal(408);
    expect(refused).to.deep.equal([{ status: 408, problem: 'It was too slow.' }]);
  });

  it('rejects an unreadable body, with a reason that quotes nothing of it', async () => {
    const url = await listen();
    const secret = postedEvents('S1', ['5ecret']);
    for (const body of ['', 'hello', '<a>', secret.slice(0, 900), secret.replace('</t:NewMailEvent>', '')]) {
      expect((await post(url, body)).status).to.equal(400);
    }
    const bomb = '<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]><lolz>&lol2;</lolz>';
    expect((await post(url, bomb)).status).to.equal(400);
    expect(refused.map(({ status }) => status)).to.deep.equal([400, 400, 400, 400, 400, 400]);
    expect(refused.at(-1)?.problem).to.contain('expected no document type declaration');
    expect(JSON.stringify(refused)).to.not.contain('5ecret');
    expect(events).to.deep.equal([]);
  });

  it('answers 503 without a subscriber, and after close', async () => {
    const url = await listen({}, false);
    const { status, headers } = await post(url, postedEvents('S1', []));
    expect([status, headers.get('retry-after')]).to.deep.equal([503, '30']);
    const done = new Promise<void>((resolve) => {
      listener.incoming$.subscribe({ complete: resolve });
    });
    listener.close();
    await done;
    expect((await post(url, postedEvents('S1', []))).status).to.equal(503);
  });

  it('survives a client that leaves in the middle of a body', async () => {
    const url = await listen();
    const recorded = firstValueFrom(listener.refused$);
    const { port, hostname } = new URL(url);
    const socket = connect(Number(port), hostname, () => {
      socket.write(
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\nContent-Length: 5000\r\n\r\n<a`,
        () => socket.destroy(),
      );
    });
    expect((await recorded).problem).to.contain('expected the end of the body');
    expect((await post(url, postedEvents('S1', ['W1']))).status).to.equal(200);
  });

  describe('in a framework', () => {
    /** A request and a response with only the members that the listener may use. */
    const double = (
      more: Partial<NodeRequestLike>,
      isAnswered = false,
    ): { request: NodeRequestLike; response: NodeResponseLike; answers: (number | string)[] } => {
      const answers: (number | string)[] = [];
      return {
        answers,
        request: { method: 'POST', url: '/', headers: XML, on: () => undefined, ...more },
        response: {
          headersSent: isAnswered,
          on: () => undefined,
          writeHead: (status) => answers.push(status),
          end: (body) => answers.push(body),
        },
      };
    };
    const joined = (secret?: string): PushListener => {
      const one = pushListener({ path: '/hooks/ews' });
      routerOf(one.incoming$).senderFor(secret).messagesFor('S1').subscribe();
      return one;
    };

    it('uses the body that was read, and the original path', () => {
      const xml = postedEvents('S1', []);
      for (const body of [xml, new TextEncoder().encode(xml)]) {
        const { request, response, answers } = double({ body, originalUrl: '/hooks/ews?x=1' });
        joined().handler(request, response);
        expect(answers[0]).to.equal(200);
      }
      const { request, response, answers } = double({ body: xml });
      joined().handler(request, response);
      expect(answers[0]).to.equal(404);
      const without = double({ body: xml });
      joined().handler({ ...without.request, url: undefined }, without.response);
      expect(without.answers[0]).to.equal(404);
    });

    it('reads the secret from the URL before it was shortened', () => {
      const body = postedEvents('S1', []);
      for (const [url, said] of [
        ['/hooks/ews?x=1&pushKey=5ecret', 'OK'],
        ['/hooks/ews?x=1&pushKey=wrong', 'Unsubscribe'],
      ] as const) {
        const { request, response, answers } = double({ body, url: '/?pushKey=5ecret', originalUrl: url });
        joined('5ecret').handler(request, response);
        expect(answers[1]).to.contain(`>${said}<`);
      }
    });

    it('leaves a response alone that has already started', () => {
      const { request, response, answers } = double(
        { url: '/hooks/ews', body: postedEvents('S1', []) },
        true,
      );
      joined().handler(request, response);
      expect(answers).to.deep.equal([]);
    });

    it('answers 503 if nothing responds, and responds once', () => {
      const one = pushListener({ timeoutSeconds: 20 });
      const taken = new Subject<PushRequest>();
      const { request, response, answers } = double({ body: 'x' });
      inVirtualTime(() => {
        one.incoming$.subscribe((incoming) => {
          incoming.body$.subscribe();
          taken.next(incoming);
        });
        taken.subscribe(({ respond }) => setAside.push(respond));
        one.handler(request, response);
      });
      expect(answers).to.deep.equal([503, '']);
      for (const respond of setAside) respond({ status: 200, headers: {}, body: '' });
      expect(answers).to.deep.equal([503, '']);
    });
    const setAside: PushRequest['respond'][] = [];
  });

  it('emits each rejection, and never errors', async () => {
    const url = await listen();
    const recorded = firstValueFrom(listener.refused$.pipe(take(2), toArray()));
    await fetch(url);
    await post(url, 'x');
    expect((await recorded).map(({ status }) => status)).to.deep.equal([405, 400]);
  });

  const bad: readonly [name: string, options: PushListenerOptions | null, message: string][] = [
    ['options that are none', null, 'options must be an object'],
    ['a path without a slash', { path: 'notified' }, "path must be a path that begins with '/'"],
    ['a path with a query', { path: '/notified?secret=5up3r' }, 'path must be'],
    ['no bytes', { maxBytes: 0 }, 'maxBytes must be a whole number of at least 1'],
    ['no unknown posts', { maxUnknown: 0 }, 'maxUnknown must be a whole number of at least 1'],
    ['no time', { timeoutSeconds: 0 }, 'timeoutSeconds must be a number from 0.01 to 3600'],
  ];
  for (const [name, options, message] of bad) {
    it(`throws for ${name}`, () => {
      expect(() => pushListener(options as PushListenerOptions)).to.throw(TypeError, message);
      expect(() => pushListener(options as PushListenerOptions)).to.throw(/^(?!.*5up3r)/);
    });
  }
});
