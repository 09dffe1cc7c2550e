import { expect } from 'chai';
import { DecodeError } from '../../../lib/core/errors.ts';
import { absolute, addressIn, addressOf, hrefKey, parentKey } from '../../../lib/ucwa/protocol/href.ts';

describe('absolute', () => {
  const base = 'https://pool.contoso.com/ucwa/v1/applications?x=y';
  const cases: readonly (readonly [string, string, string])[] = [
    ['a relative href', '/ucwa/v1/applications/101', 'https://pool.contoso.com/ucwa/v1/applications/101'],
    ['an absolute one', 'http://sample:80/events?ack=1', 'http://sample/events?ack=1'],
    [
      'a query that is unknown here',
      '/events?ck=11&s=%2f+a',
      'https://pool.contoso.com/events?ck=11&s=%2f+a',
    ],
  ];
  for (const [name, href, expected] of cases) {
    it(`resolves ${name}`, () => {
      expect(absolute(href, base)).to.equal(expected);
    });
  }

  it('throws for text that is no URL', () => {
    expect(() => absolute('http://[', base)).to.throw(DecodeError, 'link: expected a URL at /href');
  });
});

describe('hrefKey', () => {
  const key = '/ucwa/v1/applications/101/people/sarad@contoso.com';
  for (const href of [
    '/ucwa/v1/applications/101/people/saraD@contoso.com',
    'https://fe1.contoso.com:443/ucwa/v1/applications/101/people/SaraD@contoso.com',
    'HTTP://sample:80/UCWA/v1/applications/101/people/sarad%40contoso.com',
  ]) {
    it(`is the same for ${href}`, () => {
      expect(hrefKey(href)).to.equal(key);
    });
  }

  it('keeps the query, which distinguishes memberships', () => {
    expect(hrefKey('/m?presenceSubscriptionId=A')).to.equal('/m?presencesubscriptionid=a');
  });

  it('accepts text that is no URL', () => {
    expect(hrefKey('http://[A')).to.equal('http://[a');
  });
});

describe('parentKey', () => {
  it('is the path without its last segment', () => {
    expect(parentKey('/people/282/note')).to.equal('/people/282');
    expect(parentKey('note')).to.equal('');
  });
});

describe('addressIn', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['/people/sara@contoso.com', 'sara@contoso.com'],
    ['/people/sara@contoso.com?x=1', 'sara@contoso.com'],
    ['/people/282', undefined],
    ['/people/sara@contoso.com/note', undefined],
    ['/people/lenea@contoso.com@contoso.com', undefined],
  ];
  for (const [key, address] of cases) {
    it(`finds ${address ?? 'nothing'} in ${key}`, () => {
      expect(addressIn(key)).to.equal(address);
    });
  }
});

describe('addressOf', () => {
  for (const uri of [
    'sip:Sara@Contoso.com',
    'SIPS:sara@contoso.com',
    'sara@contoso.com',
    'sip:sara@contoso.com;gruu',
  ]) {
    it(`is the address in ${uri}`, () => {
      expect(addressOf(uri)).to.equal('sara@contoso.com');
    });
  }
});
