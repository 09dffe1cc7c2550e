import { expect } from 'chai';
import { NetworkError } from '../../lib/core/errors.ts';
import { proxyOfEnvironment } from '../../lib/node/proxy.ts';

const MAIL = 'https://mail.contoso.com';
const BOTH = { HTTPS_PROXY: 'http://a:1', HTTP_PROXY: 'http://b:2' };

describe('proxyOfEnvironment', () => {
  const found: readonly [
    title: string,
    origin: string,
    env: Record<string, string>,
    proxy: string | undefined,
  ][] = [
    ['HTTPS_PROXY', MAIL, BOTH, 'http://a:1/'],
    ['HTTP_PROXY', 'http://mail.contoso.com', BOTH, 'http://b:2/'],
    ['names in lower case first', MAIL, { ...BOTH, https_proxy: 'http://c:3' }, 'http://c:3/'],
    ['ALL_PROXY', MAIL, { all_proxy: 'http://d:4' }, 'http://d:4/'],
    ['the scheme http if there is none', MAIL, { HTTPS_PROXY: 'a:1' }, 'http://a:1/'],
    ['no variable', MAIL, {}, undefined],
    ['an empty variable', MAIL, { https_proxy: '', HTTPS_PROXY: '' }, undefined],
  ];
  for (const [title, origin, env, proxy] of found) {
    it(`reads ${title}`, () => {
      expect(proxyOfEnvironment(origin, env)?.url.href).to.equal(proxy);
    });
  }

  const exempt: readonly [list: string, origin: string, isExempt: boolean][] = [
    ['mail.contoso.com', MAIL, true],
    ['contoso.com', MAIL, true],
    ['.contoso.com', MAIL, true],
    ['*.contoso.com', MAIL, true],
    ['CONTOSO.COM', MAIL, true],
    ['*', MAIL, true],
    ['oso.com', MAIL, false],
    ['fabrikam.com, mail.contoso.com', MAIL, true],
    ['fabrikam.com mail.contoso.com', MAIL, true],
    ['mail.contoso.com:443', MAIL, true],
    ['mail.contoso.com:8443', MAIL, false],
    ['mail.contoso.com:8443', `${MAIL}:8443`, true],
    ['127.0.0.1', 'https://127.0.0.1', true],
    ['::1', 'https://[::1]', true],
    ['[::1]:8443', 'https://[::1]:8443', true],
    [',', MAIL, false],
  ];
  for (const [list, origin, isExempt] of exempt) {
    it(`${isExempt ? 'exempts' : 'does not exempt'} ${origin} by NO_PROXY=${list}`, () => {
      const proxy = proxyOfEnvironment(origin, { ...BOTH, NO_PROXY: list });
      expect(proxy === undefined).to.equal(isExempt);
    });
  }

  it('reads user name and password, with their escapes', () => {
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    const authorization = (user: string): string | undefined =>
      proxyOfEnvironment(MAIL, { HTTPS_PROXY: `http://${user}@a:1` })?.authorization;
    expect(authorization('sara:h%40sh')).to.equal(basic('sara:h@sh'));
    expect(authorization('sara')).to.equal(basic('sara:'));
    expect(authorization('sara:100%')).to.equal(basic('sara:100%'));
  });

  it('throws a NetworkError without the value for another URL', () => {
    expect(() => proxyOfEnvironment(MAIL, { HTTPS_PROXY: 'socks5://hush:1080' }))
      .to.throw(NetworkError, /the variable HTTPS_PROXY or ALL_PROXY is not the URL of an HTTP proxy/)
      .with.property('message')
      .that.does.not.contain('hush');
  });
});
