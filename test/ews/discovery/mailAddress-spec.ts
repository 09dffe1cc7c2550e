import { expect } from 'chai';
import { formatAddress, mailAddress } from '../../../lib/ews/discovery/search.ts';

describe('mailAddress', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['sara@contoso.com', 'sara@contoso.com'],
    ["o'hara+mail@Contoso.COM", "o'hara+mail@contoso.com"],
    ['sära@bücher.example', 'sära@xn--bcher-kva.example'],
    ['sara', undefined],
    ['@contoso.com', undefined],
    ['sara@', undefined],
    ['sara@contoso.com@evil.example', undefined],
    ['sa ra@contoso.com', undefined],
    ['sara\r\n@contoso.com', undefined],
    ['sara\uD800@contoso.com', undefined],
    ['sara@contoso.com/evil', undefined],
    ['sara@[127.0.0.1]', undefined],
    ['sip:sara@contoso.com:5061', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases) {
    it(`reads ${JSON.stringify(text)} as ${expected ?? 'no address'}`, () => {
      const address = mailAddress(text);
      expect(address === undefined ? undefined : formatAddress(address)).to.equal(expected);
    });
  }
});
