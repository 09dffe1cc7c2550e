import { expect } from 'chai';
import { httpUrl } from '../../lib/core/httpUrl.ts';

const label = 'a'.repeat(63);

describe('httpUrl', () => {
  const read: readonly (readonly [string, string])[] = [
    ['https://mail.contoso.com/EWS?a=b', 'https://mail.contoso.com/EWS?a=b'],
    ['http://pool_1.contoso.local:8080/', 'http://pool_1.contoso.local:8080/'],
    ['https://contoso.com./', 'https://contoso.com./'],
    ['https://bücher.example/', 'https://xn--bcher-kva.example/'],
    ['http://0x7f.1/', 'http://127.0.0.1/'],
    ['https://[2001:DB8::1]:443/', 'https://[2001:db8::1]/'],
    [String.raw`https:\\mail.contoso.com\EWS`, 'https://mail.contoso.com/EWS'],
    ['https://mail.contoso.com/a#secret', 'https://mail.contoso.com/a'],
    ['ht\ntps://mail.contoso.com/', 'https://mail.contoso.com/'],
    [
      `https://${label}.${label}.${label}.${'b'.repeat(61)}/`,
      `https://${label}.${label}.${label}.${'b'.repeat(61)}/`,
    ],
  ];
  for (const [text, href] of read) {
    it(`reads ${JSON.stringify(text.slice(0, 60))} as ${href.slice(0, 60)}`, () => {
      expect(httpUrl(text)?.href).to.equal(href);
    });
  }

  for (const character of [';', "'", '"', '{', '}', '`', '!', '$', '&', '(', ')', '*', '+', ',', '=', '~']) {
    it(`refuses a host that contains ${character}`, () => {
      expect(httpUrl(`https://evil.test${character}.contoso.com/`)).to.equal(undefined);
    });
  }

  for (const [what, text] of [
    ['another scheme', 'ftp://contoso.com/'],
    ['a script', 'javascript:alert(1)'],
    ['a user name', 'https://sara@contoso.com/'],
    ['a password', 'https://:hush@contoso.com/'],
    ['a relative URL without its base', '/EWS'],
    ['an empty label', 'https://contoso..com/'],
    ['a label that begins with a hyphen', 'https://-contoso.com/'],
    ['a label that is too long', `https://${label}a.com/`],
    ['a name that is too long', `https://${label}.${label}.${label}.${label}/`],
    ['a text that is not a URL', 'https://['],
  ] as const) {
    it(`refuses ${what}`, () => {
      expect(httpUrl(text)).to.equal(undefined);
    });
  }

  it('reads a relative URL on its base', () => {
    expect(httpUrl('//pool.contoso.com/a', 'https://mail.contoso.com/b')?.href).to.equal(
      'https://pool.contoso.com/a',
    );
  });
});
