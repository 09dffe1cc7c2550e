import { expect } from 'chai';
import { of, throwError } from 'rxjs';
import { DecodeError, HttpError, NetworkError, OriginError } from '../../../lib/core/errors.ts';
import type { Transport } from '../../../lib/core/transport/transport.ts';
import { ntlm } from '../../../lib/node/ntlm/ntlm.ts';
import { password, windows } from '../../../lib/ucwa/auth/signIn.ts';
import { SignInError } from '../../../lib/ucwa/protocol/errors.ts';
import { requestToken, type TokenRequest } from '../../../lib/ucwa/auth/tokenEndpoint.ts';
import { respondWith, response } from '../../support/responses.ts';

const URL = 'https://pool.contoso.com/WebTicket/oauthtoken';
const signIn = password({ username: 'sara@contoso.com', password: 'hush' });

const outcomeOf = (transport: Transport, asked: Partial<TokenRequest> = {}): unknown => {
  const outcomes: unknown[] = [];
  requestToken(transport, { url: URL, signIn, ...asked }).subscribe({
    next: (token) => outcomes.push(token),
    error: (error: unknown) => outcomes.push(error),
  });
  expect(outcomes).to.have.length(1);
  return outcomes[0];
};

const answered = (status: number, body: unknown, headers: Record<string, string> = {}): unknown =>
  outcomeOf(
    respondWith(response(status, { headers, body: [typeof body === 'string' ? body : JSON.stringify(body)] }))
      .transport,
  );

describe('requestToken', () => {
  it('posts the documented form', () => {
    const server = respondWith(response(200, { body: ['{"access_token":"a"}'] }));
    outcomeOf(server.transport);
    expect(server.requests).to.deep.equal([
      {
        method: 'POST',
        url: URL,
        headers: {
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
        },
        body: 'grant_type=password&username=sara%40contoso.com&password=hush',
        idempotent: true,
      },
    ]);
  });

  it('lets the browser sign in if the sign-in requires it', () => {
    const server = respondWith(response(200, { body: ['{"access_token":"a"}'] }));
    outcomeOf(server.transport, { signIn: windows() });
    expect(server.requests[0]).to.include({
      credentials: 'include',
      body: 'grant_type=urn%3Amicrosoft.rtc%3Awindows',
    });
  });

  it('gets the token of a Windows account by NTLM on Node', () => {
    const offer = response(401, { headers: { 'www-authenticate': 'Negotiate, NTLM dHdv' } });
    const server = respondWith(offer, response(200, { body: ['{"access_token":"a"}'] }));
    const messages = {
      createType1Message: () => 'NTLM one',
      parseType2Message: (header: string) => header,
      createType3Message: () => 'NTLM three',
    };
    const connect = () => server.transport;
    const transport = ntlm({ username: 'CONTOSO\\sara', password: 'hush', messages, connect });
    expect(outcomeOf(transport, { signIn: windows() })).to.deep.include({ token: 'a' });
    const sent = server.requests.map(({ headers, body }) => [headers?.['authorization'], body]);
    expect(sent).to.deep.equal([
      ['NTLM one', ''],
      ['NTLM three', 'grant_type=urn%3Amicrosoft.rtc%3Awindows'],
    ]);
  });

  describe('reads', () => {
    const documented = {
      access_token: 'cwt=AAEB...buHc',
      expires_in: 28289,
      ms_rtc_identityscope: 'local',
      token_type: 'Bearer',
    };
    for (const [name, body, expected] of [
      ['the documented answer', documented, { token: 'cwt=AAEB...buHc', expiresInSeconds: 28289 }],
      ['a token alone', { access_token: 'a' }, { token: 'a' }],
      [
        'seconds that are a text',
        { access_token: 'a', expires_in: '3600' },
        { token: 'a', expiresInSeconds: 3600 },
      ],
      ['seconds that are none', { access_token: 'a', expires_in: 'soon' }, { token: 'a' }],
      ['seconds that are over', { access_token: 'a', expires_in: -1 }, { token: 'a' }],
      ['seconds that are null', { access_token: 'a', expires_in: null }, { token: 'a' }],
      ['a type in lower case', { access_token: 'a', token_type: 'bearer' }, { token: 'a' }],
    ] as const) {
      it(name, () => {
        expect(answered(200, body)).to.deep.equal(expected);
      });
    }
  });

  describe('refuses, without showing it,', () => {
    for (const [name, body] of [
      ['an answer without a token', { token: 'hush' }],
      ['a token that is no text', { access_token: ['hush'] }],
      ['a token of another type', { access_token: 'hush', token_type: 'mac' }],
      ['a page', '<html>hush</html>'],
      ['an empty answer', ''],
      ['a broken answer', '{"access_token":"hush'],
    ] as const) {
      it(name, () => {
        const error = answered(200, body);
        expect(error).to.be.instanceOf(DecodeError);
        expect((error as Error).message).to.match(/^answer of the token endpoint: (?!.*hush)/);
      });
    }
  });

  it('errors with the error of the endpoint', () => {
    const error = answered(400, { error: 'unsupported_grant_type' });
    expect(error).to.be.instanceOf(SignInError).and.include({ code: 'unsupported_grant_type', status: 400 });
  });

  it('names the grant types that the endpoint accepts', () => {
    const server = respondWith(response(400, { body: ['{"error":"unsupported_grant_type"}'] }));
    const error = outcomeOf(server.transport, { grantTypes: ['urn:microsoft.rtc:windows'] });
    expect((error as Error).message).to.include('it accepts urn:microsoft.rtc:windows');
  });

  it('names the sign-in page for the user', () => {
    const ms_rtc_passiveauthuri = 'https://server.contoso.com/PassiveAuth/PassiveAuth.aspx';
    const error = answered(400, { error: 'invalid_grant', ms_rtc_passiveauthuri });
    expect(error).to.be.instanceOf(SignInError).and.include({ passiveAuthUrl: ms_rtc_passiveauthuri });
  });

  for (const ms_rtc_passiveauthuri of ['javascript:alert(1)', 7, '']) {
    it(`does not name a page ${JSON.stringify(ms_rtc_passiveauthuri)}`, () => {
      const error = answered(400, { error: 'invalid_grant', ms_rtc_passiveauthuri });
      expect(error).to.be.instanceOf(SignInError).and.include({ passiveAuthUrl: undefined });
    });
  }

  it('does not repeat an error code of several words', () => {
    const error = answered(400, { error: 'the password hush is wrong' });
    expect(error).to.be.instanceOf(SignInError).and.include({ status: 400, code: undefined });
    expect((error as Error).message).not.to.include('hush');
  });

  it('errors if the endpoint requires more than a form', () => {
    const error = answered(401, '<html></html>');
    expect(error).to.be.instanceOf(SignInError).and.include({ code: undefined, status: 401 });
    expect((error as Error).message).to.include('asks for more than the form');
  });

  it('errors if the platform did not sign in', () => {
    const error = outcomeOf(respondWith(response(401)).transport, { signIn: windows() });
    expect((error as Error).message).to.include('the platform did not sign the user in by itself');
  });

  for (const [status, body, kind] of [
    [400, '<html>from a proxy</html>', SignInError],
    [403, '', SignInError],
    // An HttpError would mean that the requested resource is gone.
    [404, '{"code":"NotFound"}', SignInError],
    [410, '', SignInError],
    [429, '', HttpError],
    [500, '{"error":"server_error"}', HttpError],
  ] as const) {
    it(`errors with a ${kind.name} for a foreign ${status}`, () => {
      expect(answered(status, body)).to.be.instanceOf(kind).and.include({ status });
    });
  }

  it('returns the Retry-After time of the endpoint', () => {
    expect(answered(503, '', { 'retry-after': '7' })).to.include({ retryAfterMs: 7000 });
  });

  it('reports the status if the body of a refusal breaks off', () => {
    const body$ = throwError(() => new NetworkError('the answer broke off', { method: 'POST', url: URL }));
    expect(outcomeOf(() => of({ ...response(400), body$ }))).to.be.instanceOf(SignInError);
  });

  it('does not send the credentials to a redirect target', () => {
    for (const [status, location, expected] of [
      [307, 'https://evil.example/', OriginError],
      [308, 'http://pool.contoso.com/', OriginError],
      [302, `${URL}/other`, HttpError],
    ] as const) {
      const server = respondWith(response(status, { headers: { location } }));
      expect(outcomeOf(server.transport)).to.be.instanceOf(expected);
      expect(server.requests).to.have.length(1);
    }
  });
});
