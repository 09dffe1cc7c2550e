import { expect } from 'chai';
import { SignInError } from '../../../lib/ucwa/protocol/errors.ts';
import { expectHarmless } from '../../support/errorTexts.ts';

const ENDPOINT = 'https://pool.contoso.com/WebTicket/oauthtoken?secret=hush';

describe('SignInError', () => {
  for (const [code, hint] of [
    ['invalid_request', 'the server does not understand the request'],
    ['invalid_grant', 'the credentials could not be verified; check them'],
    ['unsupported_grant_type', 'the server does not accept this way to sign in'],
    ['invalid_scope', 'the server does not know the scope'],
    ['server_error', 'the server failed; try again later'],
  ] as const) {
    it(`explains ${code}`, () => {
      const error = new SignInError(ENDPOINT, 400, { code });
      expect(error.message).to.equal(
        `signing in at https://pool.contoso.com/WebTicket/oauthtoken was answered 400 ${code}: ${hint}`,
      );
      expect(error).to.include({ _tag: 'SignInError', name: 'SignInError', code, status: 400 });
    });
  }

  it('repeats an undocumented code', () => {
    expect(new SignInError(ENDPOINT, 400, { code: 'new_error' }).message).to.match(/answered 400 new_error$/);
  });

  it('names the grant types that the server accepts', () => {
    const options = { code: 'unsupported_grant_type', grantTypes: ['password', 'urn:microsoft.rtc:windows'] };
    expect(new SignInError(ENDPOINT, 400, options).message).to.match(
      /: it accepts password, urn:microsoft\.rtc:windows$/,
    );
  });

  it('names no grant types after refused credentials', () => {
    const error = new SignInError(ENDPOINT, 400, { code: 'invalid_grant', grantTypes: ['password'] });
    expect(error.message).not.to.include('it takes');
  });

  it('names the page to sign in at without secrets', () => {
    const passiveAuthUrl = 'https://fs.contoso.com/PassiveAuth.aspx?state=hush';
    const error = new SignInError(ENDPOINT, 400, { code: 'invalid_grant', passiveAuthUrl });
    expect(error.message).to.match(
      /: the user can sign in at https:\/\/fs\.contoso\.com\/PassiveAuth\.aspx$/,
    );
    expect(error.passiveAuthUrl).to.equal(passiveAuthUrl);
  });

  it('contains the status if nothing else is known', () => {
    expect(new SignInError(ENDPOINT, 401).message).to.match(/answered 401$/);
  });

  it('contains a hint that is given', () => {
    expect(new SignInError(ENDPOINT, 401, { hint: 'do this' }).message).to.match(/answered 401: do this$/);
  });

  it('has no code that is no word, and no inherited hint', () => {
    const error = new SignInError(ENDPOINT, 400, { code: 'a \u001b[2J' });
    expect(error.code).to.equal(undefined);
    expect(error.message).to.match(/was answered 400$/);
    expect(new SignInError(ENDPOINT, 400, { code: 'constructor' }).message).to.match(/400 constructor$/);
  });

  it('has short, printable texts for any response', () => {
    const long = `\u001b\u202e${'x'.repeat(1_000_000)}`;
    const texts = { code: 'unsupported_grant_type', hint: long, grantTypes: [long, long] };
    expectHarmless(new SignInError(`https://pool.contoso.com/${long}`, 400, texts));
    expectHarmless(new SignInError(ENDPOINT, 400, { passiveAuthUrl: `https://fs.contoso.com/${long}` }));
  });

  for (const passiveAuthUrl of [
    'javascript:alert(1)',
    'https://user:hush@fs.contoso.com/',
    'https://evil.test;.contoso.com/',
    `https://fs.contoso.com/${'x'.repeat(2000)}`,
  ]) {
    it(`names no page to sign in at: ${passiveAuthUrl.slice(0, 40)}`, () => {
      const error = new SignInError(ENDPOINT, 400, { passiveAuthUrl });
      expect(error.passiveAuthUrl).to.equal(undefined);
      expect(error.message).to.not.contain('sign in at http');
    });
  }
});
