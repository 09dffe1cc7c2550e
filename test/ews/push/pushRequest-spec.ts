import { expect } from 'chai';
import { newSecret, secretIn, withSecret } from '../../../lib/ews/push/pushRequest.ts';

describe('The secret of a callback URL', () => {
  it('has 128 bits, and is another each time', () => {
    const secrets = Array.from({ length: 1000 }, newSecret);
    for (const secret of secrets) expect(secret).to.match(/^[\da-f]{32}$/);
    expect(new Set(secrets).size).to.equal(1000);
  });

  const urls: readonly [given: string, expected: string][] = [
    ['https://a.example/', 'https://a.example/?pushKey=5'],
    ['https://a.example/b?', 'https://a.example/b?pushKey=5'],
    ['https://a.example/b?c', 'https://a.example/b?c&pushKey=5'],
    ['https://a.example/b?c=d?e', 'https://a.example/b?c=d?e&pushKey=5'],
    ['https://a.example/b?c=d%20e+f&g=%26', 'https://a.example/b?c=d%20e+f&g=%26&pushKey=5'],
  ];
  for (const [given, expected] of urls) {
    it(`is appended to ${given}, which stays as it is`, () => {
      expect(withSecret(given, '5')).to.equal(expected);
      expect(secretIn(expected)).to.equal('5');
      expect(secretIn(given)).to.equal(undefined);
    });
  }

  const read: readonly [url: string, secret: string | undefined][] = [
    ['/notified?pushKey=a1', 'a1'],
    ['?pushKey=a1', 'a1'],
    ['/pushKey=a1', undefined],
    ['/notified?PUSHKEY=a1', undefined],
    ['/notified?pushKey=', ''],
    ['/notified?a=?pushKey=a1', undefined],
    ['', undefined],
    ['%', undefined],
    ['?%&pushKey=%E0%A4%A', '\uFFFD%A'],
  ];
  for (const [url, secret] of read) {
    it(`is read from ${JSON.stringify(url)}`, () => {
      expect(secretIn(url)).to.equal(secret);
    });
  }
});
