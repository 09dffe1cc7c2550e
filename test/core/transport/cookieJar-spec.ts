import { expect } from 'chai';
import { inspect } from 'node:util';
import { timer } from 'rxjs';
import { cookieJar } from '../../../lib/core/transport/withCookies.ts';
import { OriginError } from '../../../lib/core/errors.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

const URL_OF = 'https://mail.example/ews/exchange.asmx';

describe('cookieJar', () => {
  it('has nothing to send at first', () => {
    expect(cookieJar().header(URL_OF)).to.equal(undefined);
  });

  it('sends one cookie of each name and path', () => {
    const jar = cookieJar();
    jar.store(URL_OF, 'a=1; path=/, b=2; path=/');
    jar.store(URL_OF, 'a=3; path=/');
    expect(jar.header(URL_OF)).to.equal('b=2; a=3');
  });

  for (const other of [
    'https://other.example/ews/exchange.asmx',
    'http://mail.example/ews/exchange.asmx',
    'https://mail.example:8443/ews/exchange.asmx',
    'https://sub.mail.example/ews/exchange.asmx',
  ]) {
    it(`does not send it to ${other}, even if its domain says so`, () => {
      const jar = cookieJar();
      jar.store(URL_OF, 'a=1; path=/, b=2; path=/; domain=mail.example, c=3; path=/; domain=example');
      expect(jar.header(other)).to.equal(undefined);
      expect(jar.header(URL_OF)).to.equal('a=1; b=2; c=3');
    });
  }

  it('refuses a cookie of a domain that the host is not within', () => {
    const jar = cookieJar();
    jar.store(URL_OF, 'a=1; domain=other.example, b=2; domain=ail.example, c=3; domain=x.mail.example');
    expect(jar.header(URL_OF)).to.equal(undefined);
  });

  it('refuses a secure cookie that comes without https', () => {
    const jar = cookieJar();
    jar.store('http://mail.example/', 'a=1; secure, b=2');
    expect(jar.header('http://mail.example/')).to.equal('b=2');
  });

  const paths: readonly (readonly [string, string, boolean])[] = [
    ['a=1; path=/ews', '/ews', true],
    ['a=1; path=/ews', '/ews/exchange.asmx', true],
    ['a=1; path=/ews/', '/ews/exchange.asmx', true],
    ['a=1; path=/ews', '/ewsx', false],
    ['a=1; path=/ews', '/', false],
    ['a=1; path=/', '/anything', true],
    ['a=1', '/ews/other', true],
    ['a=1', '/owa', false],
  ];
  for (const [cookie, path, isSent] of paths) {
    it(`${isSent ? 'sends' : 'does not send'} ${cookie} to ${path}`, () => {
      const jar = cookieJar();
      jar.store(URL_OF, cookie);
      expect(jar.header(`https://mail.example${path}`)).to.equal(isSent ? 'a=1' : undefined);
    });
  }

  it('sends a cookie without path everywhere, if it came from the root', () => {
    const jar = cookieJar();
    jar.store('https://mail.example/autodiscover', 'a=1');
    expect(jar.header(URL_OF)).to.equal('a=1');
  });

  it('sends the one of the longest path first', () => {
    const jar = cookieJar();
    jar.store(URL_OF, 'a=1; path=/, b=2; path=/ews, c=3; path=/');
    expect(jar.header(URL_OF)).to.equal('b=2; a=1; c=3');
  });

  it('drops an expired cookie, and at once when the server says so', () => {
    const seen: (string | undefined)[] = [];
    inVirtualTime(() => {
      const jar = cookieJar();
      jar.store(URL_OF, 'a=1; max-age=60, b=2');
      timer(59_999).subscribe(() => seen.push(jar.header(URL_OF)));
      timer(60_000).subscribe(() => {
        seen.push(jar.header(URL_OF));
        jar.store(URL_OF, 'b=; max-age=0');
        seen.push(jar.header(URL_OF));
      });
    });
    expect(seen).to.deep.equal(['a=1; b=2', 'b=2', undefined]);
  });

  it('stores the 50 newest per origin and none that is too long', () => {
    const jar = cookieJar();
    for (let index = 0; index < 60; index += 1) jar.store(URL_OF, `n${index}=1`);
    jar.store(URL_OF, `long=${'x'.repeat(4096)}`);
    const names = jar.header(URL_OF)?.split('; ') ?? [];
    expect(names).to.have.length(50);
    expect(names[0]).to.equal('n10=1');
    expect(names.at(-1)).to.equal('n59=1');
  });

  it('throws for an unsafe URL, without its query', () => {
    const jar = cookieJar();
    for (const url of ['/me?key=hush', 'https://sara:hush@mail.example/', 'foo:hush']) {
      for (const use of [() => jar.header(url), () => jar.store(url, 'a=1')]) {
        expect(use)
          .to.throw(OriginError)
          .that.satisfies((error: unknown) => !inspect(error).includes('hush'));
      }
    }
  });

  it('forgets all when it is cleared', () => {
    const jar = cookieJar();
    jar.store(URL_OF, 'a=1');
    jar.clear();
    expect(jar.header(URL_OF)).to.equal(undefined);
  });
});
