import { expect } from 'chai';
import { headersFrom } from '../../../lib/core/transport/transport.ts';
import { type OAuthChallenge, oauthChallenge } from '../../../lib/ucwa/auth/oauthChallenge.ts';

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
