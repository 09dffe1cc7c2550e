import { expect } from 'chai';
import { type Cookie, readSetCookies } from '../../../lib/core/transport/withCookies.ts';

const NOW = Date.parse('2025-01-01T00:00:00Z');
const plain: Cookie = {
  name: 'a',
  value: '1',
  path: undefined,
  domain: undefined,
  isSecure: false,
  expiresAt: undefined,
};

describe('readSetCookies', () => {
  const cases: readonly (readonly [string, string, readonly Cookie[]])[] = [
    ['a name and a value', 'a=1', [plain]],
    ['blanks around all parts', ' a = 1 ; Path = / ; Secure ', [{ ...plain, path: '/', isSecure: true }]],
    [
      'a value with equals signs',
      'a=sara@contoso.com=Ox8==',
      [{ ...plain, value: 'sara@contoso.com=Ox8==' }],
    ],
    ['an empty value', 'a=', [{ ...plain, value: '' }]],
    [
      'attributes in any case',
      'a=1; PATH=/EWS; secure; HttpOnly',
      [{ ...plain, path: '/EWS', isSecure: true }],
    ],
    ['a path that is none', 'a=1; Path=EWS', [plain]],
    [
      'a domain, with a dot and in capitals',
      'a=1; Domain=.Contoso.COM',
      [{ ...plain, domain: 'contoso.com' }],
    ],
    ['an empty domain', 'a=1; Domain=', [plain]],
    ['Max-Age', 'a=1; Max-Age=60', [{ ...plain, expiresAt: NOW + 60_000 }]],
    [
      'Max-Age above Expires',
      'a=1; Expires=Thu, 25-Sep-2014 18:42:45 GMT; Max-Age=0',
      [{ ...plain, expiresAt: NOW }],
    ],
    ['a Max-Age that is no number', 'a=1; Max-Age=soon', [plain]],
    [
      'Expires as Exchange writes it',
      'a=1; expires=Thu, 25-Sep-2014 18:42:45 GMT',
      [{ ...plain, expiresAt: 1_411_670_565_000 }],
    ],
    ['an Expires that is no date', 'a=1; Expires=never', [plain]],
    [
      'several that were joined, with the comma of a date among them',
      'a=1; expires=Thu, 25-Sep-2014 18:42:45 GMT; path=/, b=2; secure,c=3',
      [
        { ...plain, expiresAt: 1_411_670_565_000, path: '/' },
        { ...plain, name: 'b', value: '2', isSecure: true },
        { ...plain, name: 'c', value: '3' },
      ],
    ],
    ['nothing', '', []],
    ['no equals sign', 'a', []],
    ['no name', '=1', []],
    ['a name that is none', 'a b=1', []],
    ['a line break that would split a request', 'a=1\r\nHost: evil.example', []],
    ['what is not ASCII', 'a=ä', []],
  ];

  for (const [what, header, expected] of cases) {
    it(`reads ${what}`, () => {
      expect(readSetCookies(header, NOW)).to.deep.equal(expected);
    });
  }

  it('reads a long header in passing', () => {
    expect(readSetCookies(`a=1${', '.repeat(50_000)}`, NOW)).to.have.length(1);
    expect(readSetCookies('x,'.repeat(50_000), NOW)).to.deep.equal([]);
  });
});
