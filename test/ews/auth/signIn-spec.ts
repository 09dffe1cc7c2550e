import { expect } from 'chai';
import { of } from 'rxjs';
import { signing, type SignInOptions } from '../../../lib/ews/auth/signIn.ts';
import { respondWith, response } from '../../support/responses.ts';

const get = { method: 'GET', url: 'https://mail.example/ews' };

const authorizationBy = (options: SignInOptions): string | undefined => {
  const server = respondWith(response(200));
  signing(options)(server.transport)(get).subscribe();
  return server.requests[0]?.headers?.['authorization'];
};

describe('signing', () => {
  it('should sign with a token, or with what a provider says', () => {
    expect(authorizationBy({ token: 't1' })).to.equal('Bearer t1');
    expect(authorizationBy({ token: (origin) => of(`for-${new URL(origin).hostname}`) })).to.equal(
      'Bearer for-mail.example',
    );
  });

  it('should sign with user name and password, in UTF-8', () => {
    const authorization = authorizationBy({ basic: { username: 'CONTOSO\\sära', password: 'a:b' } });
    expect(Buffer.from(authorization?.slice('Basic '.length) ?? '', 'base64').toString('utf8')).to.equal(
      'CONTOSO\\sära:a:b',
    );
  });

  it('should not sign where it is told nothing', () => {
    expect(authorizationBy({})).to.equal(undefined);
  });

  const refused: readonly (readonly [string, unknown, RegExp])[] = [
    ['both ways at once', { token: 'hush', basic: { username: 'sara', password: 'hush' } }, /^token must be/],
    ['an empty user name', { basic: { username: '', password: 'hush' } }, /^basic\.username must be/],
    ['a colon in the user name', { basic: { username: 'sa:ra', password: 'hush' } }, /^basic\.username must/],
    ['a line break in the password', { basic: { username: 'sara', password: 'hush\n' } }, /^basic\.password/],
    ['no password', { basic: { username: 'sara' } }, /^basic\.password must be/],
    ['a token with a line break', { token: 'hush\nX: y' }, /^token must be/],
  ];
  for (const [what, options, message] of refused) {
    it(`should throw for ${what}, without the secret`, () => {
      expect(() => signing(options as SignInOptions))
        .to.throw(TypeError, message)
        .with.property('message')
        .that.does.not.contain('hush');
    });
  }
});
