import { expect } from 'chai';
import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import {
  catchError,
  firstValueFrom,
  forkJoin,
  map,
  mergeMap,
  type Observable,
  of,
  Subject,
  timer,
} from 'rxjs';
import { DecodeError, HttpError, OriginError } from '../../../lib/core/errors.ts';
import {
  type HttpRequest,
  type HttpResponse,
  readText,
  type Transport,
} from '../../../lib/core/transport/transport.ts';
import type { NtlmCredentials } from '../../../lib/node/ntlm/identity.ts';
import { ntlm } from '../../../lib/node/ntlm/ntlm.ts';
import type { NtlmMessages } from '../../../lib/node/ntlm/ntlmV2.ts';
import { httpServer, type SpecServer } from '../../support/net/httpServer.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { type PreparedResponse, respondWith, response } from '../../support/responses.ts';

const TYPE_1 = 'NTLM VHlwZTE=';
const TYPE_2 = 'NTLM VHlwZTI=';
const TYPE_3 = 'NTLM VHlwZTM=';

/** A library that notes what it is given. */
function library() {
  const given: unknown[] = [];
  return {
    given,
    createType1Message: (identity: object) => {
      given.push(identity);
      return TYPE_1;
    },
    parseType2Message: (header: string) => {
      if (header !== TYPE_2) throw new Error('not a type 2 message');
      return { header };
    },
    createType3Message: (challenge: { header: string }, identity: object) => {
      given.push(challenge, identity);
      return TYPE_3;
    },
  };
}

const sara: NtlmCredentials = { username: 'sara', password: 'hush', domain: 'CONTOSO', workstation: 'DESK' };
const post: HttpRequest = {
  method: 'POST',
  url: 'https://mail.example/EWS',
  headers: { accept: 'text/xml' },
  body: '<x/>',
};
const challenge = response(401, {
  headers: { 'www-authenticate': `Negotiate, ${TYPE_2}, Basic realm="mail"` },
});
const refused = response(401, { headers: { 'www-authenticate': 'Negotiate, NTLM' } });
const granted = response(200, { body: ['done'] });

/** What a sequence of answers, all on connections of one kind, does to one or more requests. */
function send(answers: readonly PreparedResponse[], requests: readonly HttpRequest[] = [post]) {
  const server = respondWith(...answers);
  const outcomes: (string | Error)[] = [];
  let connections = 0;
  const connect = () => {
    connections += 1;
    return server.transport;
  };
  const transport = ntlm({ ...sara, messages: library(), connect });
  for (const request of requests) {
    transport(request)
      .pipe(mergeMap((answer) => readText(answer, 'answer').pipe(map((text) => `${answer.status} ${text}`))))
      .subscribe({
        next: (outcome) => outcomes.push(outcome),
        error: (error: Error) => outcomes.push(error),
      });
  }
  const sent = server.requests.map(
    ({ method, headers, body }) => `${method} ${headers?.['authorization'] ?? '-'} ${body ?? 'none'}`,
  );
  return { outcomes, sent, requests: server.requests, connections };
}

describe('ntlm', () => {
  it('sends the body only with the answer to the challenge', () => {
    const { outcomes, sent, requests } = send([challenge, granted]);
    expect(outcomes).to.deep.equal(['200 done']);
    expect(sent).to.deep.equal([`POST ${TYPE_1} `, `POST ${TYPE_3} <x/>`]);
    expect(requests[1]).to.deep.equal({ ...post, headers: { accept: 'text/xml', authorization: TYPE_3 } });
  });

  it('signs in a GET, which has no body', () => {
    const { sent } = send([challenge, granted], [{ method: 'GET', url: post.url }]);
    expect(sent).to.deep.equal([`GET ${TYPE_1} none`, `GET ${TYPE_3} none`]);
  });

  it('sends later requests as they are on a signed-in connection', () => {
    const { sent, outcomes, connections } = send([challenge, granted, granted], [post, post]);
    expect(sent).to.deep.equal([`POST ${TYPE_1} `, `POST ${TYPE_3} <x/>`, 'POST - <x/>']);
    expect(outcomes).to.deep.equal(['200 done', '200 done']);
    expect(connections).to.equal(1);
  });

  it('signs in again if the server has forgotten the connection', () => {
    const { sent, outcomes } = send([challenge, granted, refused, challenge, granted], [post, post]);
    expect(sent.slice(2)).to.deep.equal(['POST - <x/>', `POST ${TYPE_1} `, `POST ${TYPE_3} <x/>`]);
    expect(outcomes).to.deep.equal(['200 done', '200 done']);
  });

  it('errors if the account is not accepted, and does not retry', () => {
    const { sent, outcomes, connections } = send([challenge, refused], [post]);
    expect(sent).to.deep.equal([`POST ${TYPE_1} `, `POST ${TYPE_3} <x/>`]);
    expect(outcomes[0]).to.be.instanceOf(HttpError).and.include({ status: 401 });
    expect(String(outcomes[0])).to.contain('does not accept user name and password').and.not.contain('hush');
    expect(connections).to.equal(1);
  });

  it('sends a refused password again after a minute, on another connection', () => {
    const answers = respondWith(challenge, refused, challenge, challenge, challenge, granted);
    let connections = 0;
    const connect = () => {
      connections += 1;
      return answers.transport;
    };
    const outcomes: unknown[] = [];
    inVirtualTime(() => {
      const transport = ntlm({ ...sara, messages: library(), connect });
      for (const at of [0, 1, 59_000, 61_000]) {
        timer(at)
          .pipe(mergeMap(() => transport(post)))
          .subscribe({
            next: ({ status }) => outcomes.push(status),
            error: (error: unknown) => outcomes.push(error),
          });
      }
    });
    const statuses = outcomes.map((one) => (one instanceof HttpError ? one.status : one));
    expect(statuses).to.deep.equal([401, 401, 401, 200]);
    expect(String(outcomes[1])).to.contain('not sent again for 60 seconds').and.not.contain('hush');
    const passwords = answers.requests.filter(({ headers }) => headers?.['authorization'] === TYPE_3);
    expect(passwords).to.have.length(2);
    expect(connections).to.equal(4);
  });

  it('sends the password on one connection until it is accepted', () => {
    const responses: Subject<HttpResponse>[] = [];
    let passwords = 0;
    const connect = (): Transport => {
      return ({ headers }) => {
        if (headers?.['authorization'] === TYPE_1) return of(challenge);
        passwords += 1;
        const response$ = new Subject<HttpResponse>();
        responses.push(response$);
        return response$;
      };
    };
    const transport = ntlm({ ...sara, messages: library(), connect });
    for (let count = 0; count < 20; count += 1) transport(post).subscribe();
    expect(passwords).to.equal(1);
    responses[0]?.next(granted);
    expect(passwords).to.equal(20);
  });

  it('sends a request that has an Authorization as it is', () => {
    const signed = { ...post, headers: { authorization: 'Bearer t' } };
    const { sent, connections } = send([granted, challenge, granted, granted], [signed, post, signed]);
    expect(sent).to.deep.equal([
      'POST Bearer t <x/>',
      `POST ${TYPE_1} `,
      `POST ${TYPE_3} <x/>`,
      'POST Bearer t <x/>',
    ]);
    expect(connections).to.equal(2);
  });

  it('errors for http to another machine, unless it is allowed', () => {
    const connect = () => respondWith(challenge, granted).transport;
    const insecure = { ...post, url: 'http://mail.example/EWS' };
    const outcomes: unknown[] = [];
    for (const allowInsecureHttp of [false, true]) {
      ntlm({ ...sara, messages: library(), connect, allowInsecureHttp })(insecure).subscribe({
        next: ({ status }) => outcomes.push(status),
        error: (error: unknown) => outcomes.push(error),
      });
    }
    expect(outcomes[0]).to.be.instanceOf(TypeError);
    expect(String(outcomes[0])).to.contain('the URL of POST must be https');
    expect(outcomes[1]).to.equal(200);
  });

  it('passes on a refusal of a server that takes no NTLM', () => {
    const { sent, outcomes } = send([response(401, { headers: { 'www-authenticate': 'Bearer' } })]);
    expect(sent).to.deep.equal([`POST ${TYPE_1} `]);
    expect(outcomes).to.deep.equal(['401 ']);
    expect(send([response(401)]).outcomes).to.deep.equal(['401 ']);
  });

  it('sends the body after all to a server that wants no sign-in', () => {
    const { sent, outcomes } = send([response(400), granted]);
    expect(sent).to.deep.equal([`POST ${TYPE_1} `, 'POST - <x/>']);
    expect(outcomes).to.deep.equal(['200 done']);
  });

  it('emits the response of a server that requires no sign-in', () => {
    const { sent, outcomes } = send([granted], [{ method: 'GET', url: post.url }]);
    expect(sent).to.deep.equal([`GET ${TYPE_1} none`]);
    expect(outcomes).to.deep.equal(['200 done']);
  });

  it("errors for an unreadable challenge without quoting the library's error", () => {
    const strange = response(401, { headers: { 'www-authenticate': 'NTLM AAAA' } });
    const [error] = send([strange]).outcomes;
    expect(error).to.include({ _tag: 'DecodeError' });
    expect((error as Error).cause)
      .to.include({ name: 'Error' })
      .with.property('message')
      .that.matches(/^its text is withheld/);
  });

  it('gives the password to the message that answers a challenge only', () => {
    const messages = library();
    ntlm({ ...sara, messages, connect: () => respondWith(challenge, granted).transport })(post).subscribe();
    expect(messages.given).to.deep.equal([
      { domain: 'CONTOSO', workstation: 'DESK' },
      { header: TYPE_2 },
      sara,
    ]);
  });

  it('errors without the text of an error of the first message', () => {
    const messages: NtlmMessages<unknown> = {
      ...library(),
      parseType2Message: () => undefined,
      createType3Message: () => '',
      createType1Message: (identity) => {
        throw new TypeError(`bad hush ${JSON.stringify(identity)}`);
      },
    };
    const errors: unknown[] = [];
    ntlm({ ...sara, messages, connect: () => respondWith().transport })(post).subscribe({
      error: (error: unknown) => errors.push(error),
    });
    expect(errors[0]).to.be.instanceOf(DecodeError);
    expect(inspect(errors[0])).to.contain('its text is withheld').and.not.contain('hush');
  });

  it('errors for an unsafe URL, without its query, and connects to nothing', () => {
    for (const url of ['/me?key=hush', 'https://sara:hush@mail.example/', 'foo:hush']) {
      const { outcomes, connections } = send([], [{ ...post, url }]);
      expect(outcomes[0]).to.be.instanceOf(OriginError);
      expect(inspect(outcomes[0])).to.contain('the URL of POST').and.not.contain('hush');
      expect(connections).to.equal(0);
    }
  });

  for (const [name, header] of [
    ['without padding', 'NTLM VHlwZTI, Negotiate'],
    ['in another case and place', 'Basic realm="NTLM x", ntlm VHlwZTI'],
  ] as const) {
    it(`reads a challenge ${name}`, () => {
      const messages = { ...library(), parseType2Message: (text: string) => ({ header: text }) };
      const answers = respondWith(response(401, { headers: { 'www-authenticate': header } }), granted);
      ntlm({ ...sara, messages, connect: () => answers.transport })(post).subscribe();
      expect(messages.given[1]).to.deep.equal({ header: 'NTLM VHlwZTI' });
    });
  }

  it('finds no challenge in the quoted text of another scheme', () => {
    const quoted = response(401, { headers: { 'www-authenticate': 'Basic realm="x, NTLM VHlwZTI="' } });
    expect(send([quoted]).sent).to.deep.equal([`POST ${TYPE_1} `]);
  });

  it('errors for a challenge in a page without end', () => {
    const endless = response(401, {
      headers: { 'www-authenticate': TYPE_2 },
      body: ['x'.repeat(200_000), 'x'.repeat(200_000)],
    });
    expect(send([endless]).outcomes[0]).to.include({ _tag: 'DecodeError' });
  });

  for (const [username, domain, expected] of [
    ['CONTOSO\\sara', undefined, { username: 'sara', domain: 'CONTOSO' }],
    ['sara@contoso.com', undefined, { username: 'sara@contoso.com', domain: '' }],
    ['sara', 'CONTOSO', { username: 'sara', domain: 'CONTOSO' }],
    ['FABRIKAM\\sara', 'CONTOSO', { username: 'sara', domain: 'CONTOSO' }],
  ] as const) {
    it(`reads ${username} with domain ${domain ?? 'left out'}`, () => {
      const messages = library();
      const credentials = { username, password: 'hush', ...(domain === undefined ? {} : { domain }) };
      const connect = () => respondWith(challenge, granted).transport;
      ntlm({ ...credentials, messages, connect })(post).subscribe();
      expect(messages.given.at(-1)).to.deep.equal({ ...expected, password: 'hush', workstation: '' });
    });
  }

  it('sends nothing before a subscription', () => {
    const server = respondWith(challenge, granted);
    ntlm({ ...sara, messages: library(), connect: () => server.transport })(post);
    expect(server.requests).to.have.length(0);
  });

  it('uses one connection per concurrent request, and reuses it afterwards', () => {
    const bodies: Subject<Uint8Array>[] = [];
    let connections = 0;
    const connect = (): Transport => {
      connections += 1;
      return ({ headers }) => {
        if (headers?.['authorization'] === TYPE_1) return of(challenge);
        const body$ = new Subject<Uint8Array>();
        bodies.push(body$);
        return of<HttpResponse>({ ...granted, body$ });
      };
    };
    const transport = ntlm({ ...sara, messages: library(), connect });
    const run = () => transport(post).subscribe(({ body$ }) => body$.subscribe());
    run();
    run();
    expect(connections).to.equal(2);
    bodies[0]?.complete();
    run();
    expect(connections).to.equal(2);
    run();
    expect(connections).to.equal(3);
  });

  it('does not reuse a connection whose response was not read completely', () => {
    let connections = 0;
    const connect = (): Transport => {
      connections += 1;
      return respondWith(challenge, { ...granted, body$: new Subject<Uint8Array>() }).transport;
    };
    const transport = ntlm({ ...sara, messages: library(), connect });
    transport(post).subscribe();
    transport(post).subscribe(({ body$ }) => body$.subscribe().unsubscribe());
    transport(post).subscribe();
    expect(connections).to.equal(3);
  });

  it('keeps the connections of each origin apart', () => {
    const other = { ...post, url: 'https://other.example/EWS' };
    expect(send([challenge, granted, challenge, granted], [post, other]).connections).to.equal(2);
  });

  const invalid: readonly (readonly [string, object, RegExp])[] = [
    ['no user name', { ...sara, username: '' }, /^username must be/],
    ['a user name with a line break', { ...sara, username: 'sara\n' }, /^username must be/],
    ['no password', { ...sara, password: undefined }, /^password must be/],
    ['a domain with a control character', { ...sara, domain: 'A\0' }, /^domain must be/],
    ['a workstation that is no text', { ...sara, workstation: 7 }, /^workstation must be/],
  ];
  for (const [what, credentials, message] of invalid) {
    it(`throws for ${what}, without the secret`, () => {
      expect(() => ntlm({ ...(credentials as NtlmCredentials), messages: library() }))
        .to.throw(TypeError, message)
        .with.property('message')
        .that.does.not.contain('hush');
    });
  }

  describe('over real connections', () => {
    let server: SpecServer;
    let log: string[];
    let closeAfterChallenge: boolean;
    const signedIn = new WeakSet<Socket>();
    const challenged = new WeakSet<Socket>();

    beforeEach(async () => {
      log = [];
      closeAfterChallenge = false;
      server = await httpServer((incoming, outgoing) => {
        const { socket } = incoming;
        const { authorization } = incoming.headers;
        let body = '';
        incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
        incoming.on('end', () => {
          log.push(`${authorization ?? '-'} ${body}`);
          if (authorization === TYPE_3 && challenged.has(socket)) signedIn.add(socket);
          if (signedIn.has(socket)) {
            outgoing.end(`you sent ${body}`);
            return;
          }
          if (authorization === TYPE_1) challenged.add(socket);
          if (authorization === TYPE_1 && closeAfterChallenge) outgoing.setHeader('connection', 'close');
          outgoing.statusCode = 401;
          outgoing.setHeader('www-authenticate', ['Negotiate', authorization === TYPE_1 ? TYPE_2 : 'NTLM']);
          outgoing.end('Unauthorized, '.repeat(1000));
        });
      });
    });
    afterEach(() => server.close());

    const ask = (transport: Transport, body: string): Observable<string> =>
      transport({ method: 'POST', url: `${server.url}/EWS`, body }).pipe(
        mergeMap((answer) => readText(answer, 'answer').pipe(map((text) => `${answer.status} ${text}`))),
      );

    it('sends a sign-in and all later requests on one connection', async () => {
      const transport = ntlm({ ...sara, messages: library() });
      for (const body of ['one', 'two', 'three']) {
        expect(await firstValueFrom(ask(transport, body))).to.equal(`200 you sent ${body}`);
      }
      expect(log).to.deep.equal([`${TYPE_1} `, `${TYPE_3} one`, '- two', '- three']);
      expect(server.connections()).to.equal(1);
    });

    it('signs in ten connections for ten requests, and reuses them', async () => {
      const transport = ntlm({ ...sara, messages: library() });
      const bodies = Array.from({ length: 10 }, (_, index) => `n${index}`);
      const expected = bodies.map((body) => `200 you sent ${body}`);
      expect(await firstValueFrom(forkJoin(bodies.map((body) => ask(transport, body))))).to.deep.equal(
        expected,
      );
      expect(await firstValueFrom(forkJoin(bodies.map((body) => ask(transport, body))))).to.deep.equal(
        expected,
      );
      expect(server.connections()).to.equal(10);
      expect(log.filter((line) => line.startsWith(TYPE_3))).to.have.length(10);
    });

    it('reports the refusal if a proxy closes the connection', async () => {
      closeAfterChallenge = true;
      const outcome = await firstValueFrom(
        ask(ntlm({ ...sara, messages: library() }), 'one').pipe(catchError((error: unknown) => of(error))),
      );
      expect(outcome).to.be.instanceOf(HttpError).and.include({ status: 401 });
      expect(log).to.deep.equal([`${TYPE_1} `, `${TYPE_3} one`]);
    });
  });
});
