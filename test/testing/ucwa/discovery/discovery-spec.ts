import { expect } from 'chai';
import { mergeMap, of, timer } from 'rxjs';
import { NetworkError } from '../../../../lib/core/errors.ts';
import {
  headersFrom,
  type HttpRequest,
  type HttpResponse,
  readText,
  type Transport,
} from '../../../../lib/core/transport/transport.ts';
import { ucwaDiscovery } from '../../../../lib/testing/ucwa/discovery/discovery.ts';
import { inVirtualTime } from '../../../support/virtualTime.ts';
import { response } from '../../../support/responses.ts';

interface Recorded {
  readonly status: number;
  readonly body: unknown;
  readonly challenge: string | undefined;
}

const EXTERNAL = 'https://lyncdiscover.contoso.com/';
const WEB = 'https://lyncweb.contoso.com';
const USER = `${WEB}/Autodiscover/AutodiscoverService.svc/root/oauth/user`;
const TOKEN = `${WEB}/WebTicket/oauthtoken`;

/** Returns the response of a synchronous transport, or its error. */
const recorded = (
  transport: Transport,
  url: string,
  request: Partial<HttpRequest> = {},
): Recorded | Error => {
  const outcomes: (Recorded | Error)[] = [];
  let head: HttpResponse | undefined;
  transport({ method: 'GET', url, ...request })
    .pipe(
      mergeMap((answer) => {
        head = answer;
        return readText(answer, 'answer');
      }),
    )
    .subscribe({
      next: (text) =>
        outcomes.push({
          status: head?.status ?? 0,
          body: text === '' ? undefined : (JSON.parse(text) as unknown),
          challenge: head?.headers.get('www-authenticate'),
        }),
      error: (error: Error) => outcomes.push(error),
    });
  expect(outcomes).to.have.length(1);
  return outcomes[0]!;
};

const post = (transport: Transport, form: Record<string, string>, url = TOKEN): Recorded | Error =>
  recorded(transport, url, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' },
    body: new URLSearchParams(form).toString(),
  });

const bearer = (token: unknown): Partial<HttpRequest> => ({
  headers: { authorization: `Bearer ${(token as { body: { access_token: string } }).body.access_token}` },
});

const sara = { grant_type: 'password', username: 'sara', password: 'hush' };

describe('ucwaDiscovery', () => {
  it('links from the host of discovery to the user', () => {
    const { transport } = ucwaDiscovery();
    expect(recorded(transport, EXTERNAL)).to.deep.include({
      status: 200,
      body: {
        _links: {
          self: { href: `${WEB}/Autodiscover/AutodiscoverService.svc/root` },
          user: { href: USER },
          xframe: { href: `${WEB}/Autodiscover/XFrame/XFrame.html` },
        },
      },
    });
  });

  it('has no other hosts', () => {
    const { transport } = ucwaDiscovery();
    for (const url of ['https://lyncdiscoverinternal.contoso.com/', 'https://lyncdiscover.fabrikam.com/']) {
      expect(recorded(transport, url)).to.be.instanceOf(NetworkError).and.include({ code: 'ENOTFOUND' });
    }
    expect(
      recorded(ucwaDiscovery({ internal: true }).transport, 'https://lyncdiscoverinternal.contoso.com/'),
    ).to.include({ status: 200 });
    expect(
      recorded(ucwaDiscovery({ domain: 'fabrikam.com' }).transport, 'https://lyncdiscover.fabrikam.com/'),
    ).to.include({ status: 200 });
  });

  it('has the roles of all hosts on this machine', () => {
    const { transport } = ucwaDiscovery();
    expect(JSON.stringify(recorded(transport, 'http://127.0.0.1:8080/'))).to.include(
      '"user":{"href":"http://127.0.0.1:8080/',
    );
  });

  it('redirects to a host that responds', () => {
    const { transport } = ucwaDiscovery({ redirectTo: 'https://webdir.online.lync.com/root' });
    expect(recorded(transport, EXTERNAL)).to.deep.include({
      body: { _links: { redirect: { href: 'https://webdir.online.lync.com/root' } } },
    });
    expect(JSON.stringify(recorded(transport, 'https://webdir.online.lync.com/'))).to.include(
      '"user":{"href":"https://webdir.online.lync.com/',
    );
  });

  for (const [href, expected] of [
    [
      'quoted',
      `MsRtcOAuth href="${TOKEN}",grant_type="urn:microsoft.rtc:windows,urn:microsoft.rtc:anonmeeting,password"`,
    ],
    ['bare', `MsRtcOAuth href=${TOKEN},grant_type=`],
  ] as const) {
    it(`requires a token, with a ${href} href in the challenge`, () => {
      const answer = recorded(ucwaDiscovery({ href }).transport, USER);
      expect(answer).to.include({ status: 401 });
      expect((answer as Recorded).challenge).to.include(expected);
    });
  }

  it('returns the URL of applications to requests with a token', () => {
    const { transport } = ucwaDiscovery();
    const answer = recorded(transport, USER, bearer(post(transport, sara)));
    expect(answer).to.include({ status: 200 });
    expect(JSON.stringify(answer)).to.include(`"applications":{"href":"${WEB}/ucwa/oauth/v1/applications"}`);
  });

  it('accepts a token only at the origin that issued it', () => {
    const { transport } = ucwaDiscovery({
      applications: 'https://pool.contoso.com/ucwa/oauth/v1/applications',
    });
    const token = bearer(post(transport, sara));
    expect(recorded(transport, 'https://pool.contoso.com/ucwa/oauth/v1/applications', token)).to.include({
      status: 401,
    });
  });

  it('accepts a token until it expires', () => {
    const { transport } = ucwaDiscovery({ tokenSeconds: 60 });
    const statuses: unknown[] = [];
    inVirtualTime(() => {
      const token = bearer(post(transport, sara));
      for (const ms of [59_999, 60_000]) {
        timer(ms).subscribe(() => statuses.push((recorded(transport, USER, token) as Recorded).status));
      }
    });
    expect(statuses).to.deep.equal([200, 401]);
  });

  it('rejects revoked tokens', () => {
    const hosts = ucwaDiscovery();
    const token = bearer(post(hosts.transport, sara));
    hosts.revokeTokens();
    expect(recorded(hosts.transport, USER, token)).to.include({ status: 401 });
    expect(recorded(hosts.transport, USER, bearer(post(hosts.transport, sara)))).to.include({ status: 200 });
  });

  it('passes other requests to the pool, with the token', () => {
    const seen: string[] = [];
    const pool: Transport = ({ url }) => {
      seen.push(url);
      return of({ ...response(204), url, headers: headersFrom({}) });
    };
    const { transport } = ucwaDiscovery({ pool });
    expect(recorded(transport, `${WEB}/ucwa/oauth/v1/applications`)).to.include({ status: 401 });
    const token = bearer(post(transport, sara));
    expect(recorded(transport, `${WEB}/ucwa/oauth/v1/applications`, token)).to.include({ status: 204 });
    expect(seen).to.deep.equal([`${WEB}/ucwa/oauth/v1/applications`]);
    expect(recorded(ucwaDiscovery().transport, `${WEB}/ucwa`, token)).to.include({ status: 401 });
  });

  describe('issues tokens', () => {
    const conference = {
      ms_rtc_conferenceuri: 'sip:john@contoso.com;gruu;opaque=app:conf:focus:id:ABC',
      password: 'ABC',
    };

    it('for all users, or for the given ones', () => {
      expect(post(ucwaDiscovery().transport, sara)).to.deep.include({
        status: 200,
        body: {
          access_token: 'cwt=AAEB0001',
          expires_in: 28_800,
          ms_rtc_identityscope: 'local',
          token_type: 'Bearer',
        },
      });
      const { transport, tokens } = ucwaDiscovery({ users: { sara: 'hush' } });
      expect(post(transport, sara)).to.include({ status: 200 });
      for (const wrong of [{ password: 'x' }, { username: 'lene' }, { username: 'toString' }]) {
        expect(post(transport, { ...sara, ...wrong })).to.deep.include({
          status: 400,
          body: { error: 'invalid_grant' },
        });
      }
      expect(tokens.map(({ identity, origin }) => [identity, origin])).to.deep.equal([['sara', WEB]]);
    });

    it('for Windows authentication', () => {
      expect(post(ucwaDiscovery().transport, { grant_type: 'urn:microsoft.rtc:windows' })).to.include({
        status: 200,
      });
    });

    it('for meetings, an hour each, and renews them', () => {
      const { transport, tokens } = ucwaDiscovery();
      const form = { grant_type: 'urn:microsoft.rtc:anonmeeting', ...conference };
      expect(post(transport, form)).to.have.nested.property('body.expires_in', 3600);
      post(transport, form);
      post(transport, { ...form, ms_rtc_renew: 'cwt=AAEB0001' });
      expect(tokens.map(({ identity }) => identity)).to.deep.equal([
        'anonymous1',
        'anonymous2',
        'anonymous1',
      ]);
      expect(post(transport, { ...form, ms_rtc_renew: 'cwt=other' })).to.deep.include({
        body: { error: 'invalid_grant' },
      });
    });

    it('by passive authentication on a separate page', () => {
      const passive = 'urn:microsoft.rtc:passive';
      expect(
        post(ucwaDiscovery({ grantTypes: [passive] }).transport, { grant_type: passive }),
      ).to.deep.include({
        status: 400,
        body: { error: 'invalid_grant', ms_rtc_passiveauthuri: `${WEB}/PassiveAuth/PassiveAuth.aspx` },
      });
    });

    for (const [name, form, error] of [
      ['another grant', { grant_type: 'urn:microsoft.rtc:passive' }, 'unsupported_grant_type'],
      ['no grant', {}, 'invalid_request'],
      ['no password', { grant_type: 'password', username: 'sara' }, 'invalid_request'],
      ['no conference', { grant_type: 'urn:microsoft.rtc:anonmeeting', password: 'ABC' }, 'invalid_request'],
    ] as const) {
      it(`but not for ${name}`, () => {
        expect(post(ucwaDiscovery().transport, form)).to.deep.include({ status: 400, body: { error } });
      });
    }

    it('but not for a body that is not a form', () => {
      const { transport } = ucwaDiscovery();
      expect(recorded(transport, TOKEN)).to.include({ status: 405 });
      expect(recorded(transport, TOKEN, { method: 'POST', body: '{}' })).to.deep.include({
        body: { error: 'invalid_request' },
      });
    });
  });

  it('lets requests fail, and logs them', () => {
    const hosts = ucwaDiscovery();
    hosts.failNext(1, { status: 503 });
    expect(recorded(hosts.transport, EXTERNAL)).to.include({ status: 503 });
    expect(recorded(hosts.transport, EXTERNAL)).to.include({ status: 200 });
    expect(hosts.requests.map(({ path, status }) => [path, status])).to.deep.equal([
      ['/', 503],
      ['/', 200],
    ]);
  });

  it('responds after its latency', () => {
    inVirtualTime(({ expectObservable }) => {
      const { transport } = ucwaDiscovery({ latencyMs: 20 });
      const status$ = transport({ method: 'GET', url: EXTERNAL }).pipe(mergeMap(({ status }) => of(status)));
      expectObservable(status$).toBe('20ms (a|)', { a: 200 });
    });
  });

  for (const [name, options] of [
    ['href', { href: 'none' as never }],
    ['latencyMs', { latencyMs: -1 }],
    ['tokenSeconds', { tokenSeconds: 0 }],
    ['redirectTo', { redirectTo: '/relative' }],
    ['applications', { applications: '/relative' }],
  ] as const) {
    it(`throws for an invalid option ${name}`, () => {
      expect(() => ucwaDiscovery(options)).to.throw(TypeError, name);
    });
  }
});
