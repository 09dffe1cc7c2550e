import { expect } from 'chai';
import fc from 'fast-check';
import { challengesIn, signInOffer } from '../../lib/ucwa/challenge.ts';

/** Challenges as plain data: the scheme and its parameters. */
const read = (header: string): [string, Record<string, string>][] =>
  challengesIn(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

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
    ['a name without a value', 'A b=', [['A', { b: '' }]]],
    ['a name twice', 'A b=1, B=2', [['A', { b: '1' }]]],
    ['a parameter before any scheme', 'a=b, C d=e', [['C', { d: 'e' }]]],
    [
      'the opaque data of another scheme',
      `NTLM TlRMTVNTUAACAAAA==, MsRtcOAuth href=${ISSUER}`,
      [
        ['NTLM', { tlrmtvntuaacaaaa: '=' }],
        ['MsRtcOAuth', { href: ISSUER }],
      ],
    ],
    ['an equals sign alone', '=', []],
  ];

  for (const [name, header, expected] of table) {
    it(`should read ${name}`, () => {
      expect(read(header)).to.deep.equal(expected);
    });
  }

  it('should read back whatever was quoted', () => {
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

  it('should not make ten times as much of a header that names schemes without end', () => {
    const challenges = challengesIn(`MsRtcOAuth href=${ISSUER} ${'href '.repeat(20_000)}`);
    expect(challenges).to.have.length(100);
    expect(challenges[0]?.parameters.get('href')).to.equal(ISSUER);
  });

  it('should never throw', () => {
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
    it(`should read a million characters of ${name} without delay`, function () {
      this.timeout(2000);
      challengesIn(piece.repeat(1_000_000 / piece.length));
    });
  }
});

describe('signInOffer', () => {
  it('should tell the token endpoint and the grant types', () => {
    expect(
      signInOffer(
        `Bearer client_id="x", MsRtcOAuth href=${ISSUER},grant_type="urn:microsoft.rtc:windows, urn:microsoft.rtc:anonmeeting,password"`,
      ),
    ).to.deep.equal({
      href: ISSUER,
      grantTypes: ['urn:microsoft.rtc:windows', 'urn:microsoft.rtc:anonmeeting', 'password'],
    });
  });

  it('should tell no grant types where the server tells none', () => {
    expect(signInOffer(`msrtcoauth href="/oauthtoken"`)).to.deep.equal({
      href: '/oauthtoken',
      grantTypes: [],
    });
  });

  it('should take the first of several offers that has an endpoint', () => {
    expect(
      signInOffer('MsRtcOAuth grant_type="password", MsRtcOAuth href="", MsRtcOAuth href=/b')?.href,
    ).to.equal('/b');
  });

  for (const header of ['', 'Bearer href="https://evil.example/"', 'MsRtcOAuth', 'Negotiate, NTLM']) {
    it(`should tell of no offer in ${JSON.stringify(header)}`, () => {
      expect(signInOffer(header)).to.equal(undefined);
    });
  }
});
