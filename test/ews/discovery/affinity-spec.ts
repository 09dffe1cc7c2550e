import { expect } from 'chai';
import { map, of, Subject, throwError, timer } from 'rxjs';
import { restrictToOrigin } from '../../../lib/core/transport/restrictToOrigin.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../../lib/core/transport/transport.ts';
import { AFFINITY, affinity, type GroupAffinity } from '../../../lib/ews/discovery/affinity.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { respondWith, response } from '../../support/responses.ts';

const post: HttpRequest = { method: 'POST', url: 'https://mail.example/EWS/Exchange.asmx' };
const OVERRIDE = 'X-BackEndOverrideCookie=mbx1~1941996295';
const setting = (cookie: string, status = 200) => response(status, { headers: { 'set-cookie': cookie } });
const first = () => setting(`${OVERRIDE}; path=/; secure; HttpOnly`);

/** A server whose answers the spec gives one by one. */
function held() {
  const requests: HttpRequest[] = [];
  const answers: Subject<HttpResponse>[] = [];
  const transport: Transport = (request) => {
    const answer = new Subject<HttpResponse>();
    requests.push(request);
    answers.push(answer);
    return answer;
  };
  const answer = (index: number, with_: HttpResponse): void => {
    answers[index]?.next(with_);
    answers[index]?.complete();
  };
  return { requests, answers, answer, transport };
}

const cookiesOf = (requests: readonly HttpRequest[]) => requests.map(({ headers }) => headers?.['cookie']);

const newGroup = (): GroupAffinity => AFFINITY.read('affinity', affinity()).group();

describe('A group with affinity', () => {
  it('should send the cookie of the first answer with all that follows, although no later answer repeats it', () => {
    const server = respondWith(first(), response(200));
    const transport = newGroup().middleware(server.transport);
    for (let count = 0; count < 4; count += 1) transport(post).subscribe();
    expect(cookiesOf(server.requests)).to.deep.equal([undefined, OVERRIDE, OVERRIDE, OVERRIDE]);
  });

  it('should send the cookies of load balancers too, and no longer than they are good for', () => {
    const server = respondWith(
      setting(
        `exchangecookie=ddb8; path=/, ${OVERRIDE}; path=/, X-BackEndCookie=alfred@contoso.com=Ox8==; max-age=600; path=/EWS, lb=7`,
      ),
      response(200),
    );
    inVirtualTime(() => {
      const transport = newGroup().middleware(server.transport);
      transport(post).subscribe();
      timer(599_999).subscribe(() => transport(post).subscribe());
      timer(600_000).subscribe(() => transport(post).subscribe());
    });
    expect(cookiesOf(server.requests)).to.deep.equal([
      undefined,
      `X-BackEndCookie=alfred@contoso.com=Ox8==; lb=7; exchangecookie=ddb8; ${OVERRIDE}`,
      `lb=7; exchangecookie=ddb8; ${OVERRIDE}`,
    ]);
  });

  it('should keep groups apart', () => {
    const server = respondWith(first(), response(200));
    newGroup().middleware(server.transport)(post).subscribe();
    newGroup().middleware(server.transport)(post).subscribe();
    expect(cookiesOf(server.requests)).to.deep.equal([undefined, undefined]);
  });

  it('should not let the cookies cross origins', () => {
    const server = respondWith(setting(`${OVERRIDE}; domain=example; path=/`), response(200));
    const transport = newGroup().middleware(server.transport);
    transport(post).subscribe();
    for (const origin of ['https://other.example', 'http://mail.example', 'https://mail.example:444']) {
      transport({ ...post, url: `${origin}/EWS/Exchange.asmx` }).subscribe();
    }
    expect(cookiesOf(server.requests)).to.deep.equal([undefined, undefined, undefined, undefined]);
  });

  it('should not send the cookie after a redirect to another origin, below restrictToOrigin', () => {
    const redirect = response(307, {
      headers: { 'set-cookie': OVERRIDE, location: 'https://evil.example/' },
    });
    const server = respondWith(redirect, response(200));
    const { middleware } = newGroup();
    restrictToOrigin('https://mail.example')(middleware(server.transport))(post).subscribe({
      error: () => undefined,
    });
    expect(server.requests).to.have.length(1);
  });

  it('should send the first request alone, and the others once its answer has named the server', () => {
    const server = held();
    const transport = newGroup().middleware(server.transport);
    for (let count = 0; count < 3; count += 1) transport(post).subscribe();
    expect(server.requests).to.have.length(1);
    server.answer(0, first());
    expect(cookiesOf(server.requests)).to.deep.equal([undefined, OVERRIDE, OVERRIDE]);
  });

  it('should not wait for a cookie from a server that sets none', () => {
    const server = held();
    const transport = newGroup().middleware(server.transport);
    for (let count = 0; count < 3; count += 1) transport(post).subscribe();
    server.answer(0, response(200));
    expect(cookiesOf(server.requests)).to.deep.equal([undefined, undefined, undefined]);
  });

  for (const [what, fail] of [
    ['is refused', (answer: Subject<HttpResponse>) => answer.next(response(503))],
    ['breaks', (answer: Subject<HttpResponse>) => answer.error(new Error('reset'))],
    ['is not answered', (answer: Subject<HttpResponse>) => answer.complete()],
  ] as const) {
    it(`should let the next one go ahead where the first ${what}, and only that one`, () =>
      inVirtualTime(() => {
        const server = held();
        const transport = newGroup().middleware(server.transport);
        for (let count = 0; count < 4; count += 1) transport(post).subscribe({ error: () => undefined });
        fail(server.answers[0]!);
        expect(server.requests).to.have.length(2);
        server.answer(1, first());
        expect(cookiesOf(server.requests)).to.deep.equal([undefined, undefined, OVERRIDE, OVERRIDE]);
      }));
  }

  it('should let the next one go ahead where the first is unsubscribed from', () =>
    inVirtualTime(() => {
      const server = held();
      const transport = newGroup().middleware(server.transport);
      const leaving = transport(post).subscribe();
      transport(post).subscribe();
      leaving.unsubscribe();
      expect(server.requests).to.have.length(2);
      expect(server.answers[0]?.observed).to.equal(false);
    }));

  it('should send nothing for one that is unsubscribed from while it waits', () =>
    inVirtualTime(() => {
      const server = held();
      const transport = newGroup().middleware(server.transport);
      transport(post).subscribe();
      transport(post).subscribe().unsubscribe();
      server.answer(0, first());
      expect(server.requests).to.have.length(1);
    }));

  it('should send nothing before a subscription', () => {
    const server = respondWith(response(200));
    newGroup().middleware(server.transport)(post);
    expect(server.requests).to.have.length(0);
  });

  it('should find the server anew once it is forgotten, alone again', () =>
    inVirtualTime(() => {
      const server = held();
      const group = newGroup();
      const transport = group.middleware(server.transport);
      transport(post).subscribe();
      server.answer(0, first());
      group.forget();
      transport(post).subscribe();
      transport(post).subscribe();
      expect(cookiesOf(server.requests)).to.deep.equal([undefined, undefined]);
      server.answer(1, setting('X-BackEndOverrideCookie=mbx2~1; path=/'));
      expect(cookiesOf(server.requests)[2]).to.equal('X-BackEndOverrideCookie=mbx2~1');
    }));

  it('should not mistake the end of an old first request for that of a new one', () =>
    inVirtualTime(() => {
      const server = held();
      const group = newGroup();
      const transport = group.middleware(server.transport);
      transport(post).subscribe();
      server.answers[0]?.next(first());
      group.forget();
      transport(post).subscribe();
      transport(post).subscribe();
      server.answers[0]?.complete();
      expect(server.requests).to.have.length(2);
    }));

  it('should hand on the body to who asked', () => {
    const texts: string[] = [];
    const body = response(200, { body: ['hello'] });
    const { middleware } = newGroup();
    middleware(() => of(body))(post)
      .pipe(map(({ body$ }) => body$))
      .subscribe((body$) => body$.subscribe((chunk) => texts.push(new TextDecoder().decode(chunk))));
    expect(texts).to.deep.equal(['hello']);
  });

  it('should hand on an error', () => {
    const errors: Error[] = [];
    const broken = new Error('reset');
    const { middleware } = newGroup();
    middleware(() => throwError(() => broken))(post).subscribe({
      error: (error: Error) => errors.push(error),
    });
    expect(errors).to.deep.equal([broken]);
  });
});
