import { expect } from 'chai';
import fc from 'fast-check';
import { challengesIn, challengesOf, offeredSchemes } from '../../../lib/core/auth/challenge.ts';
import { headersFrom, type HttpHeaders } from '../../../lib/core/transport/transport.ts';

/** Challenges as plain data: the scheme and its parameters. */
const read = (header: string): [string, Record<string, string>][] =>
  challengesIn(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

const headers = (header: string): HttpHeaders => headersFrom({ 'www-authenticate': header });

const ISSUER = 'https://pool.example/WebTicket/oauthtoken';

describe('challengesIn', () => {
  const table: readonly [name: string, header: string, expected: [string, Record<string, string>][]][] = [
    ['nothing', '', []],
    ['only separators', ' , ,\t', []],
    ['a scheme alone', 'Negotiate', [['Negotiate', {}]]],
    [
      'several schemes',
      'Negotiate, NTLM,Basic realm="x"',
      [
        ['Negotiate', {}],
        ['NTLM', {}],
        ['Basic', { realm: 'x' }],
      ],
    ],
    ['a quoted href', `MsRtcOAuth href="${ISSUER}"`, [['MsRtcOAuth', { href: ISSUER }]]],
    ['a bare href', `MsRtcOAuth href=${ISSUER}`, [['MsRtcOAuth', { href: ISSUER }]]],
    [
      'a bare href with a query',
      `MsRtcOAuth href=${ISSUER}?a=b&c=d,grant_type="password"`,
      [['MsRtcOAuth', { href: `${ISSUER}?a=b&c=d`, grant_type: 'password' }]],
    ],
    [
      'a quoted href with commas and equals signs',
      `MsRtcOAuth href="${ISSUER}?a=b,c=d", grant_type="password"`,
      [['MsRtcOAuth', { href: `${ISSUER}?a=b,c=d`, grant_type: 'password' }]],
    ],
    [
      'an offer after another one in the same header',
      `Bearer trusted_issuers="00000002@contoso.com", client_id="00000004", MsRtcOAuth href="${ISSUER}",grant_type="urn:microsoft.rtc:windows,password"`,
      [
        ['Bearer', { trusted_issuers: '00000002@contoso.com', client_id: '00000004' }],
        ['MsRtcOAuth', { href: ISSUER, grant_type: 'urn:microsoft.rtc:windows,password' }],
      ],
    ],
    [
      'an offer before another one',
      `MsRtcOAuth href=${ISSUER}, Bearer realm=""`,
      [
        ['MsRtcOAuth', { href: ISSUER }],
        ['Bearer', { realm: '' }],
      ],
    ],
    ['names in upper case', `MSRTCOAUTH HREF="${ISSUER}"`, [['MSRTCOAUTH', { href: ISSUER }]]],
    ['spaces around the equals sign', 'A b = "c" , d =e', [['A', { b: 'c', d: 'e' }]]],
    ['an escaped quote', String.raw`A b="c\"d\\e", f=g`, [['A', { b: String.raw`c"d\e`, f: 'g' }]]],
    ['a quote that is never closed', 'A b="c, D', [['A', { b: 'c, D' }]]],
    ['an escape at the very end', 'A b="c\\', [['A', { b: 'c' }]]],
    ['a name without a value', 'A a=1, b=', [['A', { a: '1', b: '' }]]],
    ['a name twice', 'A b=1, B=2', [['A', { b: '1' }]]],
    ['a parameter before any scheme', 'a=b, C d=e', [['C', { d: 'e' }]]],
    [
      'the opaque data of another scheme',
      `NTLM TlRMTVNTUAACAAAA==, MsRtcOAuth href=${ISSUER}`,
      [
        ['NTLM', {}],
        ['MsRtcOAuth', { href: ISSUER }],
      ],
    ],
    ['an equals sign alone', '=', []],
  ];

  for (const [name, header, expected] of table) {
    it(`reads ${name}`, () => {
      expect(read(header)).to.deep.equal(expected);
    });
  }

  it('reads back whatever was quoted', () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/);
    const one = fc.record({
      scheme: fc.stringMatching(/^[A-Z][a-zA-Z]{0,8}$/),
      parameters: fc.dictionary(name, fc.string(), { maxKeys: 3, noNullPrototype: true }),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 4 }), (challenges) => {
        const header = challenges
          .map(({ scheme, parameters }) =>
            [
              scheme,
              Object.entries(parameters)
                .map(([key, value]) => `${key}="${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`)
                .join(','),
            ].join(' '),
          )
          .join(', ');
        expect(read(header)).to.deep.equal(challenges.map(({ scheme, parameters }) => [scheme, parameters]));
      }),
    );
  });

  it('limits the result for a header with endless schemes', () => {
    const challenges = challengesIn(`MsRtcOAuth href=${ISSUER} ${'href '.repeat(20_000)}`);
    expect(challenges).to.have.length(100);
    expect(challenges[0]?.parameters.get('href')).to.equal(ISSUER);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', '=', ',', '"', '\\', ' ', '\t', 'é') }),
        (header) => {
          challengesIn(header);
        },
      ),
    );
  });

  for (const [name, piece] of [
    ['quotes', '"'],
    ['escapes', 'a="\\'],
    ['commas', ', '],
    ['schemes', 'A '],
    ['parameters', 'A a="b",'],
  ] as const) {
    it(`reads a million characters of ${name} without delay`, function () {
      this.timeout(2000);
      challengesIn(piece.repeat(1_000_000 / piece.length));
    });
  }
});

describe('The data of a challenge', () => {
  const table: readonly [name: string, header: string, expected: readonly (string | undefined)[]][] = [
    ['padded', 'NTLM TlRMTVNTUAACAAAA==', ['TlRMTVNTUAACAAAA==']],
    ['not padded', 'Negotiate oYG2MIGzoAMKAQA', ['oYG2MIGzoAMKAQA']],
    [
      'of each of several schemes',
      'Negotiate a-._~+/b=, NTLM c, Basic realm="x"',
      ['a-._~+/b=', 'c', undefined],
    ],
    ['before blanks', 'NTLM \t abc= \t, Basic', ['abc=', undefined]],
    ['that looks like the name of a scheme', 'Negotiate Basic', ['Basic']],
    ['of no scheme, but a parameter', 'Basic realm=x', [undefined]],
    ['followed by more', 'A b c', [undefined, 'c']],
    ['of other characters', 'A b:c', [undefined, undefined]],
  ];
  for (const [name, header, expected] of table) {
    it(`is read: ${name}`, () => {
      expect(challengesIn(header).map(({ token68 }) => token68)).to.deep.equal(expected);
    });
  }
});

describe('challengesOf', () => {
  it('returns the challenges of a scheme, whatever its case', () => {
    const found = challengesOf(headers('BASIC realm=a, Bearer realm=b, basic realm=c'), 'Basic');
    expect(found.map(({ parameters }) => parameters.get('realm'))).to.deep.equal(['a', 'c']);
  });

  it('finds no scheme in a quoted value', () => {
    expect(challengesOf(headers('Bearer realm="x, Basic realm=y"'), 'Basic')).to.deep.equal([]);
  });

  it('finds nothing without the header', () => {
    expect(challengesOf(headersFrom({}), 'Basic')).to.deep.equal([]);
  });
});

describe('offeredSchemes', () => {
  it('names each scheme once', () => {
    expect(offeredSchemes(headers('Negotiate, NTLM, Basic realm=a, Basic realm=b'))).to.equal(
      'Negotiate, NTLM, Basic',
    );
    expect(offeredSchemes(headersFrom({}))).to.equal('');
  });

  it('names at most ten schemes, and only words', () => {
    const many = Array.from({ length: 50 }, (_, index) => `Scheme${index}`);
    const named = offeredSchemes(headers(`\u001b[2J, ${'x'.repeat(65)}, ${many.join(', ')}`));
    expect(named).to.equal(many.slice(0, 10).join(', '));
    const long = ['a', 'b', 'c'].map((letter) => letter.repeat(64));
    expect(offeredSchemes(headers(long.join(', ')))).to.have.length(101);
  });
});
