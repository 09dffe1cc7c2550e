import { expect } from 'chai';
import { of } from 'rxjs';
import { HttpError, OriginError } from '../../../lib/core/errors.ts';
import { type HttpRequest, type Transport, headersFrom } from '../../../lib/core/transport/transport.ts';
import { anonymousMeeting, password } from '../../../lib/ucwa/auth/signIn.ts';
import type { SignIn } from '../../../lib/ucwa/auth/signer.ts';
import { SignInError, UntrustedLinkError } from '../../../lib/ucwa/protocol/errors.ts';
import {
  type TokenClient,
  tokenClient,
  type OAuthChallenge,
  oauthChallenge,
} from '../../../lib/ucwa/auth/tokenClient.ts';
import { trustedHosts, trustedUrl } from '../../../lib/ucwa/discovery/steps.ts';
import { response } from '../../support/responses.ts';

const ORIGIN = 'https://pool.contoso.com';
const USER = `${ORIGIN}/user`;
const ENDPOINT = `${ORIGIN}/oauthtoken`;
const trust = trustedHosts('contoso.com', [], []);
const who = password({ username: 'sara', password: 'hush' });
const meeting = anonymousMeeting({ conferenceUri: 'sip:john@contoso.com;opaque=app:conf:focus:id:ABC' });

interface Server {
  readonly transport: Transport;
  readonly requests: string[];
  challenge: string | undefined;
  challengeStatus: number;
  /** The endpoint's responses to forms, in this order; the last one repeats. */
  answers: readonly [status: number, body: object][];
  readonly forms: URLSearchParams[];
}

const server = (): Server => {
  const state: Server = {
    requests: [],
    forms: [],
    challenge: `MsRtcOAuth href="${ENDPOINT}",grant_type="password"`,
    challengeStatus: 401,
    answers: [[200, { access_token: 'a', expires_in: 3600 }]],
    transport: (request: HttpRequest) => {
      state.requests.push(`${request.method} ${request.url}`);
      expect(request.headers).not.to.have.property('authorization');
      if (request.method === 'GET') {
        const headers: Record<string, string> =
          state.challenge === undefined ? {} : { 'www-authenticate': state.challenge };
        return of({ ...response(state.challengeStatus, { headers }), url: request.url });
      }
      const [status, body] = state.answers[Math.min(state.forms.length, state.answers.length - 1)] ?? [
        500,
        {},
      ];
      state.forms.push(new URLSearchParams(request.body));
      return of(response(status, { body: [JSON.stringify(body)] }));
    },
  };
  return state;
};

const issuerOf = ({ transport }: Server, signIn: SignIn = who): TokenClient => {
  const issuer = tokenClient(transport, signIn, (...link) => trustedUrl(trust, ...link));
  issuer.registerOrigin(USER);
  return issuer;
};

const issued = (issuer: TokenClient, origin: string = ORIGIN): unknown => {
  const outcomes: unknown[] = [];
  issuer.issue(origin).subscribe({
    next: (token) => outcomes.push(token),
    error: (error: unknown) => outcomes.push(error),
  });
  expect(outcomes).to.have.length(1);
  return outcomes[0];
};

describe('tokenIssuer', () => {
  it('follows the challenge to the token endpoint', () => {
    const site = server();
    expect(issued(issuerOf(site))).to.deep.equal({ token: 'a', expiresInSeconds: 3600 });
    expect(site.requests).to.deep.equal([`GET ${USER}`, `POST ${ENDPOINT}`]);
  });

  it('resolves a relative endpoint against the request URL', () => {
    const site = server();
    site.challenge = 'Negotiate, MsRtcOAuth href=/oauthtoken';
    issued(issuerOf(site));
    expect(site.requests).to.deep.equal([`GET ${USER}`, `POST ${ENDPOINT}`]);
  });

  it('caches the endpoint', () => {
    const site = server();
    const issuer = issuerOf(site);
    issued(issuer);
    issued(issuer);
    expect(site.requests).to.deep.equal([`GET ${USER}`, `POST ${ENDPOINT}`, `POST ${ENDPOINT}`]);
  });

  it('looks up the endpoint again after a failure and after forget', () => {
    const site = server();
    site.answers = [
      [404, {}],
      [200, { access_token: 'a' }],
    ];
    const issuer = issuerOf(site);
    expect(issued(issuer)).to.be.instanceOf(SignInError);
    issued(issuer);
    issuer.forget();
    issued(issuer);
    expect(site.requests.filter((request) => request === `GET ${USER}`)).to.have.length(3);
  });

  it('requests the challenge at the latest URL', () => {
    const site = server();
    const issuer = issuerOf(site);
    issuer.registerOrigin(`${ORIGIN}/moved`);
    issued(issuer);
    expect(site.requests[0]).to.equal(`GET ${ORIGIN}/moved`);
  });

  it('sends nothing to an unknown origin', () => {
    const site = server();
    const error = issued(issuerOf(site), 'https://evil.example');
    expect(error)
      .to.be.instanceOf(OriginError)
      .and.include({ refused: 'https://evil.example', allowed: ORIGIN });
    expect(site.requests).to.deep.equal([]);
  });

  for (const href of [
    'https://evil.example/oauthtoken',
    'http://pool.contoso.com/oauthtoken',
    'javascript:1',
  ]) {
    it(`sends no credentials to ${href}`, () => {
      const site = server();
      site.challenge = `MsRtcOAuth href="${href}"`;
      expect(issued(issuerOf(site))).to.be.instanceOf(UntrustedLinkError);
      expect(site.requests).to.deep.equal([`GET ${USER}`]);
    });
  }

  for (const [challenge, recorded] of [
    ['Bearer client_id="x", Negotiate', 'it offers Bearer, Negotiate, and MsRtcOAuth is needed'],
    ['', 'it offers nothing'],
    [undefined, 'it offers nothing'],
  ] as const) {
    it(`errors without a usable challenge: ${challenge ?? 'without a header'}`, () => {
      const site = server();
      site.challenge = challenge;
      const error = issued(issuerOf(site));
      expect(error).to.be.instanceOf(SignInError).and.include({ status: 401 });
      expect((error as Error).message).to.include(recorded);
    });
  }

  it('errors if the server does not request a sign-in', () => {
    const site = server();
    site.challengeStatus = 200;
    const error = issued(issuerOf(site));
    expect(error).to.be.instanceOf(SignInError).and.include({ status: 200 });
    expect((error as Error).message).to.include('it was to say where to sign in');
  });

  it('does not resend refused credentials until forget', () => {
    const site = server();
    site.answers = [
      [400, { error: 'invalid_grant' }],
      [200, { access_token: 'a' }],
    ];
    const issuer = issuerOf(site);
    const error = issued(issuer);
    expect(error).to.be.instanceOf(SignInError).and.include({ code: 'invalid_grant' });
    expect(issued(issuer)).to.equal(error);
    expect(site.requests).to.have.length(2);
    issuer.forget();
    expect(issued(issuer)).to.deep.equal({ token: 'a' });
  });

  it('retries after any other failure', () => {
    const site = server();
    site.answers = [
      [400, { error: 'server_error' }],
      [200, { access_token: 'a' }],
    ];
    const issuer = issuerOf(site);
    expect(issued(issuer)).to.be.instanceOf(SignInError);
    expect(issued(issuer)).to.deep.equal({ token: 'a' });
  });

  it('renews a meeting token, which keeps the identity', () => {
    const site = server();
    const issuer = issuerOf(site, meeting);
    issued(issuer);
    issued(issuer);
    expect(site.forms.map((form) => form.get('ms_rtc_renew'))).to.deep.equal([null, 'a']);
  });

  it('requests a new identity if the old token cannot be renewed', () => {
    const site = server();
    const issuer = issuerOf(site, meeting);
    issued(issuer);
    site.answers = [
      [200, {}],
      [400, { error: 'invalid_grant' }],
      [200, { access_token: 'b' }],
    ];
    expect(issued(issuer)).to.deep.equal({ token: 'b' });
    expect(site.forms.map((form) => form.get('ms_rtc_renew'))).to.deep.equal([null, 'a', null]);
  });

  it('requests no new identity if the endpoint is unreachable', () => {
    const site = server();
    const issuer = issuerOf(site, meeting);
    issued(issuer);
    site.answers = [[503, {}]];
    expect(issued(issuer)).to.be.instanceOf(HttpError);
    expect(site.forms).to.have.length(2);
  });

  it('omits the old token for a password grant', () => {
    const site = server();
    const issuer = issuerOf(site);
    issued(issuer);
    issued(issuer);
    expect(site.forms.map((form) => form.has('ms_rtc_renew'))).to.deep.equal([false, false]);
  });

  it('sends nothing before subscription', () => {
    const site = server();
    issuerOf(site).issue(ORIGIN);
    expect(site.requests).to.deep.equal([]);
  });
});

const ISSUER = 'https://pool.example/WebTicket/oauthtoken';

const offerIn = (header: string): OAuthChallenge | undefined =>
  oauthChallenge(headersFrom({ 'www-authenticate': header }));

describe('signInOffer', () => {
  it('returns the token endpoint and the grant types', () => {
    expect(
      offerIn(
        `Bearer client_id="x", MsRtcOAuth href=${ISSUER},grant_type="urn:microsoft.rtc:windows, urn:microsoft.rtc:anonmeeting,password"`,
      ),
    ).to.deep.equal({
      href: ISSUER,
      grantTypes: ['urn:microsoft.rtc:windows', 'urn:microsoft.rtc:anonmeeting', 'password'],
    });
  });

  it('returns no grant types if the server lists none', () => {
    expect(offerIn(`msrtcoauth href="/oauthtoken"`)).to.deep.equal({
      href: '/oauthtoken',
      grantTypes: [],
    });
  });

  it('returns the first offer with an endpoint', () => {
    expect(
      offerIn('MsRtcOAuth grant_type="password", MsRtcOAuth href="", MsRtcOAuth href=/b')?.href,
    ).to.equal('/b');
  });

  for (const header of ['', 'Bearer href="https://evil.example/"', 'MsRtcOAuth', 'Negotiate, NTLM']) {
    it(`returns no offer for ${JSON.stringify(header)}`, () => {
      expect(offerIn(header)).to.equal(undefined);
    });
  }
});
