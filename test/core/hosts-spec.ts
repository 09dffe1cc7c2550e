import { expect } from 'chai';
import { hostName, hostOption, allowedHosts } from '../../lib/core/hosts.ts';

describe('hostRule', () => {
  const isAllowed = allowedHosts(['contoso.com', 'hoster.example']);

  for (const url of [
    'https://contoso.com/',
    'https://mail.contoso.com/EWS/Exchange.asmx',
    'https://MAIL.Contoso.COM/',
    'https://a.b.contoso.com:8443/',
    'https://outlook.hoster.example/',
  ]) {
    it(`allows ${url}`, () => expect(isAllowed(url)).to.equal(true));
  }

  for (const url of [
    'http://mail.contoso.com/',
    'https://evilcontoso.com/',
    'https://contoso.com.evil.example/',
    'https://contoso.com@evil.example/',
    'https://sara:hush@mail.contoso.com/',
    'https://sara@mail.contoso.com/',
    'https://com/',
    '//mail.contoso.com/',
    'javascript:alert(1)',
    'ftp://contoso.com/',
    '',
  ]) {
    it(`refuses ${url || 'nothing'}`, () => expect(isAllowed(url)).to.equal(false));
  }
});

describe('hostName', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['contoso.com', 'contoso.com'],
    ['Contoso.COM', 'contoso.com'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['intranet', 'intranet'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['', undefined],
    ['.', undefined],
    ['.contoso.com', undefined],
    ['contoso..com', undefined],
    ['contoso.com.', undefined],
    ['-contoso.com', undefined],
    ['contoso.com/x', undefined],
    ['contoso.com:8443', undefined],
    ['sara@contoso.com', undefined],
    ['*.contoso.com', undefined],
    ['https://contoso.com', undefined],
    ['127.0.0.1', undefined],
    ['2130706433', undefined],
    ['[::1]', undefined],
    ['con toso.com', undefined],
    [`${'a.'.repeat(126)}ab`, undefined],
  ];
  for (const [text, expected] of cases) {
    it(`reads ${JSON.stringify(text.slice(0, 40))} as ${expected ?? 'no host'}`, () => {
      expect(hostName(text)).to.equal(expected);
    });
  }
});

describe('hostOption', () => {
  it('returns the name as URLs have it', () => {
    expect(hostOption('allowRedirectTo[0]', 'Contoso.com')).to.equal('contoso.com');
  });

  it('throws for an invalid host, and names the option', () => {
    for (const value of ['https://contoso.com', '', undefined, 7]) {
      expect(() => hostOption('allowRedirectTo[0]', value)).to.throw(
        TypeError,
        /^allowRedirectTo\[0\] must be a host name/,
      );
    }
  });
});
