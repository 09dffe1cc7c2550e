import { expect } from 'chai';
import { of } from 'rxjs';
import type { Transport } from '../../../lib/core/transport/transport.ts';
import { ucwaDomain } from '../../../lib/testing/ucwa/discovery/domain.ts';
import { password } from '../../../lib/ucwa/auth/signIn.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import { UntrustedLinkError } from '../../../lib/ucwa/protocol/errors.ts';
import { response } from '../../support/responses.ts';

const server = 'https://pool1.contoso.com/ucwa/oauth/v1/applications';

describe('A sign-in at the URL of a server', () => {
  it('gets its token from the endpoint that the server names', async () => {
    const domain = ucwaDomain({ users: { 'sara@contoso.com': 'hush' } });
    const auth = password({ username: 'sara@contoso.com', password: 'hush' });
    const ucwa = connectUcwa({ server, auth, transport: domain.transport });
    const hrefs: string[] = [];
    ucwa.application$.subscribe(({ self }) => hrefs.push(self));
    expect(hrefs).to.have.length(1);
    expect(domain.tokens.map(({ origin }) => origin)).to.deep.equal(['https://pool1.contoso.com']);
    expect((await ucwa.close()).clean).to.equal(true);
    expect(domain.pool.applications).to.deep.equal([]);
  });

  it('sends no credentials to a token endpoint of another origin', () => {
    const sent: string[] = [];
    const challenge = 'MsRtcOAuth href="https://evil.test/token", grant_type="password"';
    const transport: Transport = ({ method, url, body }) => {
      sent.push(`${method} ${url} ${body ?? ''}`);
      return of({ ...response(401, { headers: { 'www-authenticate': challenge } }), url });
    };
    const auth = password({ username: 'sara@contoso.com', password: 'hush' });
    const errors: unknown[] = [];
    connectUcwa({ server, auth, transport }).application$.subscribe({
      error: (error: unknown) => errors.push(error),
    });
    expect(errors).to.have.length(1);
    expect(errors[0])
      .to.be.instanceOf(UntrustedLinkError)
      .with.property('message')
      .that.includes('which is not at https://pool1.contoso.com; use discovered(domain) instead');
    expect(sent).to.deep.equal([`GET ${server} `]);
  });

  it('is refused in clear text over a network', () => {
    const auth = password({ username: 'sara@contoso.com', password: 'hush' });
    expect(() => connectUcwa({ server: 'http://pool1.contoso.com/', auth })).to.throw(
      TypeError,
      /^server must be https.*allowInsecureHttp/,
    );
  });
});
