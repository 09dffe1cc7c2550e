import { basic } from '../../../lib/ews/auth/basic.ts';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { expect } from 'chai';
import { asyncScheduler, finalize, NEVER, of, throwError, timer } from 'rxjs';
import { NetworkError } from '../../../lib/core/errors.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../../lib/core/transport/transport.ts';
import { autodiscovered } from '../../../lib/ews/discovery/autodiscover.ts';
import { lookUp, type LookUpOptions } from './lookUp.ts';
import { AutodiscoverError } from '../../../lib/ews/protocol/errors.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { type PreparedResponse, response } from '../../support/responses.ts';

const EWS = 'https://mail.contoso.com/EWS/Exchange.asmx';
const found = response(200, {
  headers: { 'content-type': 'application/json' },
  body: [`{"Protocol":"EWS","Url":"${EWS}"}`],
});
const foundInXml = response(200, {
  headers: { 'content-type': 'text/xml' },
  body: [
    '<Autodiscover><Response><Account><Action>settings</Action><Protocol><Type>EXPR</Type>',
    `<EwsUrl>${EWS}</EwsUrl></Protocol></Account></Response></Autodiscover>`,
  ],
});
const missing = response(404);
const refusing = (offer: string): HttpResponse => response(401, { headers: { 'www-authenticate': offer } });
const refused = refusing('Basic realm="mail"');
const refusedByBearer = refusing('Bearer realm="mail", Negotiate');

interface Seen {
  readonly urls: string[];
  readonly errors: AutodiscoverError[];
  readonly requests: HttpRequest[];
}

/** Looks up sara@contoso.com; the servers respond by host and type, or by a function. */
function look(answer: (request: HttpRequest) => PreparedResponse, options: LookUpOptions = {}): Seen {
  const seen: Seen = { urls: [], errors: [], requests: [] };
  const transport: Transport = (request) => {
    seen.requests.push(request);
    const answered = answer(request);
    return 'status' in answered ? of(answered) : answered;
  };
  inVirtualTime(() => {
    lookUp('sara@contoso.com', { transport, ...options }).subscribe({
      next: (url) => seen.urls.push(url),
      error: (error: Error) => {
        if (!(error instanceof AutodiscoverError)) throw error;
        seen.errors.push(error);
      },
      complete: () => seen.urls.push('complete'),
    });
  });
  return seen;
}

const hostsOf = ({ requests }: Seen): string[] =>
  requests.map(({ method, url, headers }) => {
    const signature = headers?.['authorization'] === undefined ? '' : ' signed';
    return `${method} ${new URL(url).host}${signature}`;
  });

describe('autodiscovered', () => {
  it('sends nothing before subscription, and then shares one lookup', () => {
    const requests: HttpRequest[] = [];
    const transport: Transport = (request) => {
      requests.push(request);
      return of(found);
    };
    const url$ = lookUp('sara@contoso.com', { transport });
    expect(requests).to.have.length(0);
    url$.subscribe();
    url$.subscribe();
    expect(requests).to.have.length(1);
  });

  it('emits the URL that the first server returns, and completes', () => {
    const seen = look(() => found);
    expect(seen.urls).to.deep.equal([EWS, 'complete']);
    expect(seen.requests).to.deep.equal([
      {
        method: 'GET',
        url: 'https://autodiscover.contoso.com/autodiscover/autodiscover.json/v1.0/sara@contoso.com?Protocol=EWS',
        headers: { accept: 'application/json' },
      },
    ]);
  });

  it('continues with XML if the JSON endpoints return nothing', () => {
    const seen = look(({ method, url }) =>
      method === 'POST' && new URL(url).host === 'contoso.com' ? foundInXml : missing,
    );
    expect(seen.urls).to.deep.equal([EWS, 'complete']);
    expect(hostsOf(seen)).to.deep.equal([
      'GET autodiscover.contoso.com',
      'GET contoso.com',
      'POST autodiscover.contoso.com',
      'POST contoso.com',
    ]);
    expect(seen.requests[3]?.headers).to.include({ 'content-type': 'text/xml; charset=utf-8' });
    expect(seen.requests[3]?.body).to.contain('<EMailAddress>sara@contoso.com</EMailAddress>');
  });

  it('signs only requests that were refused without credentials', () => {
    const seen = look(
      ({ url, headers }) => {
        if (new URL(url).host === 'contoso.com') return missing;
        if (headers?.['authorization'] === undefined) return refused;
        return headers['accept'] === 'text/xml' ? foundInXml : missing;
      },
      { auth: basic({ username: 'sara', password: 'hush' }) },
    );
    expect(seen.urls).to.deep.equal([EWS, 'complete']);
    expect(hostsOf(seen)).to.deep.equal([
      'GET autodiscover.contoso.com',
      'GET autodiscover.contoso.com signed',
      'GET contoso.com',
      'POST autodiscover.contoso.com',
      'POST autodiscover.contoso.com signed',
    ]);
  });

  it('requests a token for the origin that requires one', () => {
    const origins: string[] = [];
    const token = (origin: string) => {
      origins.push(origin);
      return of('t1');
    };
    const seen = look(
      ({ headers }) => (headers?.['authorization'] === 'Bearer t1' ? found : refusedByBearer),
      { auth: bearer(token) },
    );
    expect(seen.urls).to.deep.equal([EWS, 'complete']);
    expect(origins).to.deep.equal(['https://autodiscover.contoso.com']);
  });

  const auth = basic({ username: 'sara', password: 'hush' });
  const offers: readonly (readonly [
    name: string,
    answer: HttpResponse,
    options: LookUpOptions,
    reason: string,
  ])[] = [
    [
      'no credentials',
      refused,
      {},
      'was answered 401 and offers Basic: give auth: basic({ username, password })',
    ],
    [
      'a password for Bearer',
      refusedByBearer,
      { auth },
      'was answered 401 and offers Bearer, Negotiate, so the password was not sent: give auth: bearer(token)',
    ],
    [
      'a token for Basic',
      refused,
      { auth: bearer('hush') },
      'was answered 401 and offers Basic, so the token was not sent: give auth: basic({ username, password })',
    ],
    [
      'a password for Negotiate and NTLM',
      refusing('Negotiate, NTLM'),
      { auth },
      'was answered 401 and offers Negotiate, NTLM, so the password was not sent: ' +
        'give a transport that signs in, such as ntlm(…)',
    ],
    [
      'a password for a scheme of its own',
      refusing('Basics realm="Basic", X-Basic'),
      { auth },
      'was answered 401 and offers Basics, X-Basic, so the password was not sent: give a transport that signs in',
    ],
    [
      'a password without a challenge',
      response(401),
      { auth },
      'was answered 401 without a WWW-Authenticate header that can be read, so the password was not sent: ' +
        'give connectExchange() the URL as server; a browser hides this header from pages of other origins',
    ],
  ];
  for (const [name, answer, options, reason] of offers) {
    it(`sends no credentials to a host without their scheme: ${name}`, () => {
      const seen = look(() => answer, options);
      expect(seen.requests).to.have.length(4);
      expect(JSON.stringify(seen.requests)).to.not.match(/authorization|hush/);
      expect(seen.errors[0]?.tried.map((one) => one.reason)).to.deep.equal(Array(4).fill(reason));
      expect(seen.errors[0]?.message).to.contain(reason).and.not.contain('hush');
    });
  }

  it('says that the credentials were refused, once they were sent', () => {
    const seen = look(() => refusing('bearer, BASIC realm="mail"'), { auth });
    expect(seen.requests).to.have.length(6);
    expect(seen.errors[0]?.tried[0]?.reason).to.equal('was answered 401: it refuses the credentials');
    expect(seen.errors[0]?.tried[2]?.reason).to.match(/^refused the user name and the password before/);
  });

  it('names both ways to sign in to a host that offers both', () => {
    const seen = look(() => refusing('Basic realm="x", Bearer'));
    expect(seen.errors[0]?.tried[0]?.reason).to.equal(
      'was answered 401 and offers Basic, Bearer: give auth: basic({ username, password }) or auth: bearer(token)',
    );
  });

  it('follows a redirect to an allowed host and signs in there', () => {
    const seen = look(
      ({ url, headers }) => {
        const { host } = new URL(url);
        if (host === 'autodiscover.contoso.com') {
          return response(302, { headers: { location: 'https://autodiscover.hoster.example/json' } });
        }
        if (host !== 'autodiscover.hoster.example') return missing;
        return headers?.['authorization'] === undefined ? refused : found;
      },
      { auth: basic({ username: 'sara', password: 'hush' }), allowRedirectTo: ['hoster.example'] },
    );
    expect(seen.urls).to.deep.equal([EWS, 'complete']);
    expect(hostsOf(seen)).to.deep.equal([
      'GET autodiscover.contoso.com',
      'GET autodiscover.hoster.example',
      'GET autodiscover.hoster.example signed',
    ]);
  });

  it('sends nothing to a forbidden host and rejects its URL', () => {
    const evil = [
      response(302, { headers: { location: 'https://evil.example/' } }),
      response(200, { body: ['{"Url":"https://evil.example/EWS"}'] }),
      response(200, {
        body: [
          '<Autodiscover><Response><Account><RedirectUrl>http://contoso.com/</RedirectUrl></Account></Response></Autodiscover>',
        ],
      }),
      response(200, {
        body: [
          '<Autodiscover><Response><Account><RedirectAddr>sara@evil.example</RedirectAddr></Account></Response></Autodiscover>',
        ],
      }),
    ];
    const seen = look(() => evil.shift() ?? missing, {
      auth: basic({ username: 'sara', password: 'hush' }),
    });
    expect(seen.requests.map(({ url }) => new URL(url).protocol + new URL(url).host)).to.deep.equal([
      'https:autodiscover.contoso.com',
      'https:contoso.com',
      'https:autodiscover.contoso.com',
      'https:contoso.com',
    ]);
    expect(seen.errors[0]?.tried.map(({ reason }) => reason)).to.deep.equal([
      'redirects to evil.example, which is not allowed',
      'names evil.example, which is not allowed',
      'redirects to contoso.com without https',
      'redirects to an address at evil.example, which is not allowed',
    ]);
  });

  it('errors with the result of each server, without secrets', () => {
    const broken = new NetworkError(
      'no answer',
      { method: 'GET', url: 'https://contoso.com/' },
      { code: 'ENOTFOUND' },
    );
    const unnamed = new NetworkError('no answer', { method: 'GET', url: 'https://contoso.com/' });
    const answers: PreparedResponse[] = [
      throwError(() => broken),
      response(200, {
        headers: { 'content-type': 'text/html' },
        body: ['<!DOCTYPE html><title>hush</title>'],
      }),
      NEVER,
      throwError(() => unnamed),
    ];
    const seen = look(() => answers.shift() ?? missing);
    const [error] = seen.errors;
    expect(error).to.be.instanceOf(AutodiscoverError);
    expect(error).to.include({ _tag: 'AutodiscoverError', domain: 'contoso.com', cause: unnamed });
    expect(error?.message).to.equal(
      'no web services were found for contoso.com: ' +
        '1. autodiscover.contoso.com (JSON) did not answer (ENOTFOUND); ' +
        '2. contoso.com (JSON) answers with what is no Autodiscover response; ' +
        '3. autodiscover.contoso.com (XML) did not answer in time; ' +
        '4. contoso.com (XML) did not answer. ' +
        'Give connectExchange() the URL as server, or allow the host that is not allowed with allowRedirectTo.',
    );
    expect(error?.tried[0]?.cause).to.equal(broken);
    expect(seen.urls).to.deep.equal([]);
  });

  it('reports a failed token request and continues', () => {
    const seen = look(({ method }) => (method === 'GET' ? refusedByBearer : foundInXml), {
      auth: bearer(() => throwError(() => new Error('signed out'))),
    });
    expect(seen.urls).to.deep.equal([EWS, 'complete']);
    const alone = look(() => refusedByBearer, {
      auth: bearer(() => throwError(() => new Error('signed out'))),
    });
    expect(alone.errors[0]?.tried[0]?.reason).to.equal('could not be asked');
    // The text of a foreign error may be secret.
    expect(alone.errors[0]?.cause)
      .to.have.property('message')
      .that.matches(/^its text is withheld/);
  });

  it('limits the time of each server, including the body', () => {
    const times: number[] = [];
    const slow: HttpResponse = { ...found, body$: NEVER };
    inVirtualTime(() => {
      const transport: Transport = () => {
        times.push(asyncScheduler.now());
        return of(slow);
      };
      lookUp('sara@contoso.com', { transport, timeoutSeconds: 2 }).subscribe({
        error: () => times.push(asyncScheduler.now()),
      });
    });
    expect(times).to.deep.equal([0, 2000, 4000, 6000, 8000]);
  });

  it('cancels the requests on unsubscription', () => {
    const log: string[] = [];
    const transport: Transport = () => {
      log.push('sent');
      return NEVER.pipe(finalize(() => log.push('aborted')));
    };
    inVirtualTime(() => {
      const looking = lookUp('sara@contoso.com', { transport }).subscribe();
      timer(500).subscribe(() => looking.unsubscribe());
    });
    expect(log).to.deep.equal(['sent', 'aborted']);
  });

  const invalid: readonly (readonly [string, object, RegExp])[] = [
    [
      'a URL instead of a host',
      { allowRedirectTo: ['https://hoster.example'] },
      /^allowRedirectTo\[0\] must be/,
    ],
    ['a host instead of several', { allowRedirectTo: 'hoster.example' }, /^allowRedirectTo must be an array/],
    ['no time at all', { timeoutSeconds: 0 }, /^timeoutSeconds must be a number from 0\.1 to 3600/],
  ];
  for (const [what, address] of [
    ['no address', 'sara'],
    ['an address that is no text', 7],
  ] as const) {
    it(`throws for ${what} before any request`, () => {
      expect(() => autodiscovered(address as string)).to.throw(TypeError, /^address must be an SMTP address/);
    });
  }

  for (const [what, options, message] of invalid) {
    it(`throws for ${what} before a request`, () => {
      expect(() => look(() => found, options)).to.throw(TypeError, message);
    });
  }
});
