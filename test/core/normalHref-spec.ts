import { expect } from 'chai';
import fc from 'fast-check';
import { matchesHref, normalHref, sameHref } from '../../lib/core/href.ts';

describe('normalHref', () => {
  const contact = '/ucwa/v1/people/sara@contoso.com';
  const cases: readonly [name: string, href: string, origin: string | undefined, path: string][] = [
    ['a relative href', '/ucwa/v1/people/sara@contoso.com', undefined, contact],
    ['an absolute href', 'https://pool.contoso.com/ucwa/v1/me', 'https://pool.contoso.com', '/ucwa/v1/me'],
    ['a port that goes without saying', 'https://pool.contoso.com:443/me', 'https://pool.contoso.com', '/me'],
    ['another port', 'https://pool.contoso.com:8443/me', 'https://pool.contoso.com:8443', '/me'],
    ['an href without a scheme', '//pool.contoso.com/me', 'http://pool.contoso.com', '/me'],
    ['upper case', '/UCWA/v1/People/Sara@Contoso.com', undefined, contact],
    ['an encoded @', '/ucwa/v1/people/sara%40contoso.com', undefined, contact],
    ['an encoded letter', '/ucwa/v1/people/%53ara@contoso.com', undefined, contact],
    ['a raw letter beyond ASCII', '/people/JÖRG', undefined, '/people/jörg'],
    ['an encoded letter beyond ASCII', '/people/J%C3%96RG', undefined, '/people/jörg'],
    ['an encoded slash, which divides nothing', '/people/a%2Fb', undefined, '/people/a%2fb'],
    ['an encoded question mark', '/people/a%3fb', undefined, '/people/a%3fb'],
    ['an encoded percent sign', '/people/100%2525', undefined, '/people/100%2525'],
    ['an encoded ampersand in a query', '/me?a=1%262', undefined, '/me?a=1%262'],
    ['an ampersand as XML writes it', '/me?a=1&amp;b=2', undefined, '/me?a=1&b=2'],
    ['a query', '/events?ack=2', undefined, '/events?ack=2'],
    ['bytes that are not UTF-8', '/people/%FF', undefined, '/people/%ff'],
    ['a lone percent sign', '/people/100%', undefined, '/people/100%'],
    ['a fragment, which is not sent', '/me#top', undefined, '/me'],
    ['a scheme without a host', 'sip:Sara@contoso.com', 'sip:', 'sara@contoso.com'],
  ];
  for (const [name, href, origin, path] of cases) {
    it(`reads ${name}`, () => expect(normalHref(href)).to.deep.equal({ origin, path }));
  }

  it('reads plain ones as the parser of URLs does', () => {
    const piece = fc.constantFrom(
      ...['/', '//', '.', '..', '/.', 'a', 'B', '7', '-', '@', ':', ':80', '?', '&', '=', '+', '~', '$'],
      ...['\\', 'xn--a', '0x1', 'contoso.com', 'https://pool', 'http://', 'HTTPS://P', '#'],
    );
    const href = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(href, fc.boolean(), (made, isBelow) => {
        const given = isBelow ? `https://pool.contoso.com/${made}` : `/${made}`;
        const base = 'http://relative.invalid';
        const url = URL.canParse(given, base) ? new URL(given, base) : undefined;
        expect(normalHref(given)).to.deep.equal(
          url && {
            origin: url.origin === base ? undefined : url.origin,
            path: (url.pathname + url.search).toLowerCase(),
          },
        );
      }),
      { numRuns: 3000 },
    );
  });

  it('returns undefined for a text that is not a URL', () => expect(normalHref('http://[')).to.be.undefined);

  it('makes two segments equal exactly if they differ in case only', () => {
    const segment = fc
      .string({
        unit: fc.constantFrom(
          'a',
          'A',
          '%',
          '/',
          '2',
          'f',
          'ö',
          'Ö',
          '&',
          '@',
          '?',
          '#',
          ';',
          '+',
          ' ',
          '\\',
        ),
        minLength: 1,
        maxLength: 3,
      })
      .map((text) => ({ text, path: normalHref(`/p/${encodeURIComponent(text)}`)?.path }));
    fc.assert(
      fc.property(segment, segment, (one, other) => {
        expect(one.path === other.path).to.equal(one.text.toLowerCase() === other.text.toLowerCase());
      }),
      { numRuns: 1000 },
    );
  });

  it('does not care how a segment is encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (segment) => {
        const everyByte = Array.from(
          new TextEncoder().encode(segment),
          (byte) => `%${byte.toString(16).padStart(2, '0')}`,
        ).join('');
        // Dots alone are a step in a path, encoded or not.
        fc.pre(!/^\.+$/.test(segment));
        expect(normalHref(`/p/${everyByte}`)).to.deep.equal(normalHref(`/p/${encodeURIComponent(segment)}`));
      }),
    );
  });
});

describe('sameHref', () => {
  const relative = { origin: undefined, path: '/me' };
  const contoso = { origin: 'https://pool.contoso.com', path: '/me' };

  it('takes a relative href to be on the other’s server', () => {
    expect(sameHref(relative, contoso)).to.be.true;
    expect(sameHref(contoso, relative)).to.be.true;
    expect(sameHref(relative, relative)).to.be.true;
  });

  it('distinguishes servers', () => {
    expect(sameHref(contoso, contoso)).to.be.true;
    expect(sameHref(contoso, { ...contoso, origin: 'https://pool.fabrikam.com' })).to.be.false;
  });

  it('distinguishes paths', () => expect(sameHref(relative, { ...contoso, path: '/me/note' })).to.be.false);
});

describe('matchesHref', () => {
  it('matches the hrefs of one resource, and not undefined', () => {
    const matches = matchesHref('href', '/me');
    expect(['/me', '/ME', 'https://pool.contoso.com/me'].map(matches)).to.deep.equal([true, true, true]);
    expect(['/you', '', 'http://[', undefined].map(matches)).to.deep.equal([false, false, false, false]);
  });

  it('names the option that is no URL', () => {
    for (const href of ['', 'http://[', 7, null]) {
      expect(() => matchesHref('link.href', href)).to.throw(
        TypeError,
        /^link\.href must be .*URL, but it is/,
      );
    }
  });
});
