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
    it(`should follow ${name}`, () => {
      expect(absolute(href, base)).to.equal(expected);
    });
  }

  it('should refuse what is no URL', () => {
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
    it(`should be the same for ${href}`, () => {
      expect(hrefKey(href)).to.equal(key);
    });
  }

  it('should keep the query, which tells memberships apart', () => {
    expect(hrefKey('/m?presenceSubscriptionId=A')).to.equal('/m?presencesubscriptionid=a');
  });

  it('should not fail on what is no URL', () => {
    expect(hrefKey('http://[A')).to.equal('http://[a');
  });
});

describe('parentKey', () => {
  it('should be the path without its last step', () => {
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
    it(`should find ${address ?? 'nothing'} in ${key}`, () => {
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
    it(`should be the address in ${uri}`, () => {
      expect(addressOf(uri)).to.equal('sara@contoso.com');
    });
  }
});
