import { expect } from 'chai';
import { lastValueFrom } from 'rxjs';
import { bearer } from '../../../lib/core/auth/auth.ts';
import { HttpError } from '../../../lib/core/errors.ts';
import type { HttpRequest } from '../../../lib/core/transport/transport.ts';
import { connectExchange } from '../../../lib/ews/connect.ts';
import { pullNotifications } from '../../../lib/ews/pull/pull.ts';
import { connectUcwa } from '../../../lib/ucwa/connect.ts';
import { respondWith, response } from '../../support/responses.ts';

const post: HttpRequest = { method: 'POST', url: 'https://mail.contoso.com/EWS/Exchange.asmx' };
const ADFS =
  'Bearer client_id="00000002-0000-0ff1-ce00-000000000000", trusted_issuers="x@y", ' +
  'token_types="app_asserted_user_v1", authorization_uri="https://adfs.contoso.com/adfs/oauth2/authorize?x=1", Basic realm="mail"';
const UCWA =
  'Bearer trusted_issuers="", client_id="00000004", MsRtcOAuth href="https://pool.contoso.com/WebTicket/oauthtoken",grant_type="urn:microsoft.rtc:windows,password"';

const refusal = (challenge: string) => response(401, { headers: { 'www-authenticate': challenge } });

describe('bearer', () => {
  const found: readonly [title: string, challenge: string, url: string][] = [
    ['the authorization_uri of ADFS', ADFS, 'https://adfs.contoso.com/adfs/oauth2/authorize'],
    ['the href of MsRtcOAuth', UCWA, 'https://pool.contoso.com/WebTicket/oauthtoken'],
    [
      'a URL without quotes',
      'Bearer authorization_uri=https://sts.contoso.com/a',
      'https://sts.contoso.com/a',
    ],
    [
      'a relative URL',
      'MsRtcOAuth href="/WebTicket/oauthtoken"',
      'https://mail.contoso.com/WebTicket/oauthtoken',
    ],
  ];
  for (const [title, challenge, url] of found) {
    it(`errors for a refused token with ${title}`, async () => {
      const { transport } = respondWith(refusal(challenge));
      const sending = lastValueFrom(bearer('hush').sign({ allowInsecureHttp: false })(transport)(post));
      const error = await sending.catch((failure: unknown) => failure);
      expect(error).to.be.instanceOf(HttpError).and.include({ status: 401 });
      expect(error)
        .to.have.property('message')
        .that.matches(new RegExp(`the token was refused; the server accepts those of ${url}$`));
    });
  }

  for (const challenge of ['Bearer', 'Bearer authorization_uri=""', 'Bearer authorization_uri="http://["']) {
    it(`emits the 401 of a server that names no URL: ${challenge}`, async () => {
      const { transport } = respondWith(refusal(challenge));
      const emitted = await lastValueFrom(bearer('a').sign({ allowInsecureHttp: false })(transport)(post));
      expect(emitted.status).to.equal(401);
    });
  }

  it('renews the token of a function before it errors', async () => {
    let count = 0;
    const { transport, requests } = respondWith(refusal(ADFS), refusal(ADFS));
    const signed = bearer(() => `token${(count += 1)}`).sign({ allowInsecureHttp: false })(transport);
    expect(await lastValueFrom(signed(post)).catch((error: unknown) => (error as HttpError).status)).to.equal(
      401,
    );
    expect(requests.map(({ headers }) => headers?.['authorization'])).to.deep.equal([
      ...['Bearer token1', 'Bearer token2'],
    ]);
  });

  it('gives the URL to the streams of both protocols', async () => {
    const messageOf = (error: unknown): string => (error as Error).message;
    const { transport } = respondWith(...Array.from({ length: 4 }, () => refusal(ADFS)));
    const options = { auth: bearer('hush'), transport, server: post.url };
    const mail = pullNotifications(connectExchange(options), { folders: ['inbox'], events: ['newMail'] });
    const messages = await Promise.all([
      lastValueFrom(mail).catch(messageOf),
      lastValueFrom(connectUcwa(options).application$).catch(messageOf),
    ]);
    for (const message of messages)
      expect(message).to.contain('https://adfs.contoso.com/adfs/oauth2/authorize');
  });
});
