import { expect } from 'chai';
import { of } from 'rxjs';
import { HttpError, OriginError } from '../../../lib/core/errors.ts';
import type { HttpRequest, Transport } from '../../../lib/core/transport/transport.ts';
import { anonymousMeeting, password } from '../../../lib/ucwa/auth/signIn.ts';
import type { SignIn } from '../../../lib/ucwa/auth/signer.ts';
import { SignInError, UntrustedLinkError } from '../../../lib/ucwa/protocol/errors.ts';
import { type TokenClient, tokenClient } from '../../../lib/ucwa/auth/tokenClient.ts';
import { trustedHosts, trustedUrl } from '../../../lib/ucwa/discovery/trustedHosts.ts';
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
  /** What the endpoint answers to a form, in that order; the last stays. */
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
  it('should follow the challenge to the token endpoint', () => {
    const site = server();
    expect(issued(issuerOf(site))).to.deep.equal({ token: 'a', expiresInSeconds: 3600 });
    expect(site.requests).to.deep.equal([`GET ${USER}`, `POST ${ENDPOINT}`]);
  });

  it('should take an endpoint that is relative to where it was asked', () => {
    const site = server();
    site.challenge = 'Negotiate, MsRtcOAuth href=/oauthtoken';
    issued(issuerOf(site));
    expect(site.requests).to.deep.equal([`GET ${USER}`, `POST ${ENDPOINT}`]);
  });

  it('should remember the endpoint', () => {
    const site = server();
    const issuer = issuerOf(site);
    issued(issuer);
    issued(issuer);
    expect(site.requests).to.deep.equal([`GET ${USER}`, `POST ${ENDPOINT}`, `POST ${ENDPOINT}`]);
  });

  it('should look for the endpoint again after it has failed, and after it was told to forget', () => {
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

  it('should ask at the URL that it was told of last', () => {
    const site = server();
    const issuer = issuerOf(site);
    issuer.registerOrigin(`${ORIGIN}/moved`);
    issued(issuer);
    expect(site.requests[0]).to.equal(`GET ${ORIGIN}/moved`);
  });

  it('should send nothing to an origin that it was not told of', () => {
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
    it(`should send no credentials to ${href}`, () => {
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
    it(`should say that there is no way to sign in: ${challenge ?? 'without a header'}`, () => {
      const site = server();
      site.challenge = challenge;
      const error = issued(issuerOf(site));
      expect(error).to.be.instanceOf(SignInError).and.include({ status: 401 });
      expect((error as Error).message).to.include(recorded);
    });
  }

  it('should say that it was not asked to sign in', () => {
    const site = server();
    site.challengeStatus = 200;
    const error = issued(issuerOf(site));
    expect(error).to.be.instanceOf(SignInError).and.include({ status: 200 });
    expect((error as Error).message).to.include('it was to say where to sign in');
  });

  it('should not send credentials again that were refused, until it is told to forget', () => {
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

  it('should try again after any other failure', () => {
    const site = server();
    site.answers = [
      [400, { error: 'server_error' }],
      [200, { access_token: 'a' }],
    ];
    const issuer = issuerOf(site);
    expect(issued(issuer)).to.be.instanceOf(SignInError);
    expect(issued(issuer)).to.deep.equal({ token: 'a' });
  });

  it('should renew the token of a meeting, which keeps the identity', () => {
    const site = server();
    const issuer = issuerOf(site, meeting);
    issued(issuer);
    issued(issuer);
    expect(site.forms.map((form) => form.get('ms_rtc_renew'))).to.deep.equal([null, 'a']);
  });

  it('should ask for a new identity where the old one cannot be renewed', () => {
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

  it('should not ask for a new identity where the endpoint could not be reached', () => {
    const site = server();
    const issuer = issuerOf(site, meeting);
    issued(issuer);
    site.answers = [[503, {}]];
    expect(issued(issuer)).to.be.instanceOf(HttpError);
    expect(site.forms).to.have.length(2);
  });

  it('should not name the old token with a password', () => {
    const site = server();
    const issuer = issuerOf(site);
    issued(issuer);
    issued(issuer);
    expect(site.forms.map((form) => form.has('ms_rtc_renew'))).to.deep.equal([false, false]);
  });

  it('should send nothing before it is subscribed to', () => {
    const site = server();
    issuerOf(site).issue(ORIGIN);
    expect(site.requests).to.deep.equal([]);
  });
});
