import { expect } from 'chai';
import { contactKey } from '../../lib/core/href.ts';

describe('contactKey', () => {
  const same: readonly [name: string, one: string, other: string][] = [
    ['a SIP URI in upper and lower case', 'sip:sara@contoso.com', 'SIP:Sara@Contoso.com'],
    ['a SIP URI with the @ encoded', 'sip:sara@contoso.com', 'sip:sara%40contoso.com'],
    ['an href in upper and lower case', '/people/sara@contoso.com', '/People/Sara@contoso.com'],
    ['an href absolute and relative', '/people/1', 'https://pool.contoso.com/people/1'],
    ['what is no URL, in upper and lower case', 'http://[Sara', 'http://[sara'],
  ];
  for (const [name, one, other] of same) {
    it(`is the same for ${name}`, () => expect(contactKey(one)).to.equal(contactKey(other)));
  }

  const different: readonly [name: string, one: string, other: string][] = [
    ['two contacts', 'sip:sara@contoso.com', 'sip:john@contoso.com'],
    ['two domains', 'sip:sara@contoso.com', 'sip:sara@fabrikam.com'],
    ['an address and a telephone number', 'sip:+15550100', 'tel:+15550100'],
    ['two hrefs', '/people/1', '/people/2'],
  ];
  for (const [name, one, other] of different) {
    it(`differs for ${name}`, () => expect(contactKey(one)).to.not.equal(contactKey(other)));
  }
});
