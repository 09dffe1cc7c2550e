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

/** A server whose responses the spec sends one by one. */
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
  it('sends the cookie of the first response with all later requests', () => {
    const server = respondWith(first(), response(200));
    const transport = newGroup().middleware(server.transport);
    for (let count = 0; count < 4; count += 1) transport(post).subscribe();
    expect(cookiesOf(server.requests)).to.deep.equal([undefined, OVERRIDE, OVERRIDE, OVERRIDE]);
  });

  it('sends the cookies of load balancers until they expire', () => {
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

  it('does not share cookies with other groups', () => {
    const server = respondWith(first(), response(200));
    newGroup().middleware(server.transport)(post).subscribe();
    newGroup().middleware(server.transport)(post).subscribe();
    expect(cookiesOf(server.requests)).to.deep.equal([undefined, undefined]);
  });

  it('does not send cookies to another origin', () => {
    const server = respondWith(setting(`${OVERRIDE}; domain=example; path=/`), response(200));
    const transport = newGroup().middleware(server.transport);
    transport(post).subscribe();
    for (const origin of ['https://other.example', 'http://mail.example', 'https://mail.example:444']) {
      transport({ ...post, url: `${origin}/EWS/Exchange.asmx` }).subscribe();
    }
    expect(cookiesOf(server.requests)).to.deep.equal([undefined, undefined, undefined, undefined]);
  });

  it('does not send cookies after a cross-origin redirect below restrictToOrigin', () => {
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

  it('sends the other requests after the response to the first', () => {
    const server = held();
    const transport = newGroup().middleware(server.transport);
    for (let count = 0; count < 3; count += 1) transport(post).subscribe();
    expect(server.requests).to.have.length(1);
    server.answer(0, first());
    expect(cookiesOf(server.requests)).to.deep.equal([undefined, OVERRIDE, OVERRIDE]);
  });

  it('does not wait for a cookie if the server sets none', () => {
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
    it(`sends only the next request if the first ${what}`, () =>
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

  it('sends the next request if the first is unsubscribed', () =>
    inVirtualTime(() => {
      const server = held();
      const transport = newGroup().middleware(server.transport);
      const leaving = transport(post).subscribe();
      transport(post).subscribe();
      leaving.unsubscribe();
      expect(server.requests).to.have.length(2);
      expect(server.answers[0]?.observed).to.equal(false);
    }));

  it('sends nothing for a queued request that is unsubscribed', () =>
    inVirtualTime(() => {
      const server = held();
      const transport = newGroup().middleware(server.transport);
      transport(post).subscribe();
      transport(post).subscribe().unsubscribe();
      server.answer(0, first());
      expect(server.requests).to.have.length(1);
    }));

  it('sends nothing before subscription', () => {
    const server = respondWith(response(200));
    newGroup().middleware(server.transport)(post);
    expect(server.requests).to.have.length(0);
  });

  it('sends one request alone again after forget', () =>
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

  it('ignores the end of a first request from before forget', () =>
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

  it('returns the body of the response', () => {
    const texts: string[] = [];
    const body = response(200, { body: ['hello'] });
    const { middleware } = newGroup();
    middleware(() => of(body))(post)
      .pipe(map(({ body$ }) => body$))
      .subscribe((body$) => body$.subscribe((chunk) => texts.push(new TextDecoder().decode(chunk))));
    expect(texts).to.deep.equal(['hello']);
  });

  it('passes on an error', () => {
    const errors: Error[] = [];
    const broken = new Error('reset');
    const { middleware } = newGroup();
    middleware(() => throwError(() => broken))(post).subscribe({
      error: (error: Error) => errors.push(error),
    });
    expect(errors).to.deep.equal([broken]);
  });
});
