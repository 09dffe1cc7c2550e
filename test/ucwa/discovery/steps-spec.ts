import { expect } from 'chai';
import fc from 'fast-check';
import { type TrustedHosts, trustedHosts, trustedUrl } from '../../../lib/ucwa/discovery/steps.ts';
import { UntrustedLinkError } from '../../../lib/ucwa/protocol/errors.ts';

const BASE = 'https://lyncdiscover.contoso.com/root';

const verdict = (trust: TrustedHosts, href: string): string => {
  try {
    return trustedUrl(trust, href, BASE, 'the link user');
  } catch (error) {
    expect(error).to.be.instanceOf(UntrustedLinkError);
    return (error as UntrustedLinkError).message;
  }
};

describe('trustedUrl', () => {
  const trust = trustedHosts('contoso.com', ['lync.com'], []);

  for (const [name, href, expected] of [
    ['the domain itself', 'https://contoso.com/a?b=c', 'https://contoso.com/a?b=c'],
    ['a host below it', 'https://pool.EU.contoso.com/', 'https://pool.eu.contoso.com/'],
    ['a host on another port', 'https://pool.contoso.com:4443/', 'https://pool.contoso.com:4443/'],
    ['a relative link', '/user?a=b', 'https://lyncdiscover.contoso.com/user?a=b'],
    ['a link without a scheme', '//pool.contoso.com/user', 'https://pool.contoso.com/user'],
    ['a host that the caller allows', 'https://lync.com/', 'https://lync.com/'],
    [
      'a host below one that the caller allows',
      'https://webdir0a.online.lync.com/',
      'https://webdir0a.online.lync.com/',
    ],
  ] as const) {
    it(`accepts ${name}`, () => {
      expect(verdict(trust, href)).to.equal(expected);
    });
  }

  for (const [name, href, why] of [
    [
      'another domain',
      'https://evil.example/a',
      'leads to https://evil.example/a, which is not a host of contoso.com',
    ],
    ['a domain that ends alike', 'https://evilcontoso.com/', 'not a host of contoso.com'],
    ['a domain that begins alike', 'https://contoso.com.evil.example/', 'not a host of contoso.com'],
    ['a domain with the name as credentials', 'https://contoso.com@evil.example/', 'credentials in it'],
    ['credentials on a good host', 'https://a:hush@pool.contoso.com/', 'credentials in it'],
    ['a domain with a dot behind', 'https://pool.contoso.com./', 'not a host of contoso.com'],
    ['a parent of the domain', 'https://com/', 'not a host of contoso.com'],
    ['backslashes', String.raw`https:\\evil.example\contoso.com`, 'not a host of contoso.com'],
    ['http', 'http://pool.contoso.com/', 'which is not https'],
    ['this machine', 'http://127.0.0.1/', 'which is not https'],
    ['this machine by https', 'https://localhost/', 'not a host of contoso.com'],
    ['a script', 'javascript:alert(1)', 'which is not https'],
    ['credentials on this machine', 'http://a:hush@127.0.0.1/', 'credentials in it'],
    ['data', 'data:text/html,x', 'which is not https'],
    ['a file', 'file:///etc/passwd', 'which is not https'],
    ['an invalid URL', 'https://[', 'an invalid URL'],
  ] as const) {
    it(`rejects ${name}`, () => {
      const recorded = verdict(trust, href);
      expect(recorded).to.match(/^the link user leads to .*: nothing was sent there$/);
      expect(recorded).to.include(why);
      expect(recorded).not.to.include('hush');
    });
  }

  it('says how to allow another host', () => {
    expect(verdict(trust, 'https://pool.contoso.net/')).to.include('name it in allowRedirectTo');
  });

  it('omits the query, which may contain secrets', () => {
    expect(verdict(trust, 'https://evil.example/a?token=hush#hush')).not.to.include('hush');
  });

  describe('when discovery starts on this machine', () => {
    for (const start of ['http://127.0.0.1:8080/', 'http://localhost:8080/', 'http://[::1]:8080/']) {
      const local = trustedHosts('contoso.com', [], [start]);

      it(`accepts http on this machine from ${start}`, () => {
        expect(verdict(local, 'http://127.0.0.1:9/a')).to.equal('http://127.0.0.1:9/a');
        expect(verdict(local, 'http://localhost/')).to.equal('http://localhost/');
      });

      it(`rejects http on other machines from ${start}`, () => {
        expect(verdict(local, 'http://pool.contoso.com/')).to.include('not https');
        expect(verdict(local, 'http://127.evil.example/')).to.include('not https');
        expect(verdict(local, 'http://10.0.0.1/')).to.include('not https');
        expect(verdict(local, 'http://a:hush@127.0.0.1/')).to.include('credentials in it');
      });
    }

    it('rejects http on this machine if discovery starts by https', () => {
      const remote = trustedHosts('contoso.com', [], ['https://discover.fabrikam.com/']);
      expect(verdict(remote, 'http://127.0.0.1/')).to.include('not https');
      expect(verdict(remote, 'https://discover.fabrikam.com/user')).to.match(/^https:/);
      expect(verdict(remote, 'https://fabrikam.com/user')).to.include('not a host');
    });
  });

  it('accepts only hosts at or below a trusted host', () => {
    const label = fc.stringMatching(/^[a-z]{1,6}$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 4 }), (labels) => {
        const host = labels.join('.');
        const isTrusted = /(?:^|\.)(?:contoso\.com|lync\.com)$/.test(host);
        expect(verdict(trust, `https://${host}/`).startsWith('https:')).to.equal(isTrusted);
        expect(verdict(trust, `https://${host}.contoso.com/`).startsWith('https:')).to.equal(true);
        expect(verdict(trust, `https://${host}contoso.com/`).startsWith('https:')).to.equal(false);
      }),
    );
  });
});

describe('trustedHosts', () => {
  for (const [name, urls] of [
    ['http on another machine', ['http://lyncdiscover.contoso.com/']],
    ['no URL', ['lyncdiscover.contoso.com']],
    ['another scheme', ['ftp://127.0.0.1/']],
    ['credentials', ['https://a:hush@contoso.com/']],
  ] as const) {
    it(`throws for a start with ${name}`, () => {
      expect(() => trustedHosts('contoso.com', [], urls)).to.throw(TypeError, /^(?!.*hush)urls\[0\] must be/);
    });
  }

  it('throws for an invalid allowed host', () => {
    expect(() => trustedHosts('contoso.com', ['https://lync.com'], [])).to.throw(
      TypeError,
      'allowRedirectTo',
    );
  });
});
