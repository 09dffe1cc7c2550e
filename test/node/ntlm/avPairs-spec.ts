import { expect } from 'chai';
import { type AvPairs, readAvPairs, writeAvPairs } from '../../../lib/node/ntlm/avPairs.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const shown = (pairs: AvPairs | undefined) =>
  pairs && [...pairs].map(([id, value]) => [id, Buffer.from(value).toString('hex')]);

describe('readAvPairs', () => {
  const cases: readonly (readonly [string, string, unknown])[] = [
    ['no pairs', '0000 0000', []],
    ['no bytes', '', []],
    [
      'pairs in their order',
      '0200 0200 4400 0100 0000 0000 0000',
      [
        [2, '4400'],
        [1, ''],
      ],
    ],
    ['pairs of unknown ids', 'ff00 0100 07 0000 0000', [[255, '07']]],
    ['nothing after the end', '0000 0000 0100 0000', []],
    ['a value that is cut short', '0200 0400 44', undefined],
    ['a head that is cut short', '0200 00', undefined],
    ['pairs without an end', '0200 0100 44', undefined],
  ];
  for (const [name, hex, expected] of cases) {
    it(`reads ${name}`, () => {
      expect(shown(readAvPairs(bytes(hex)))).to.deep.equal(expected);
    });
  }
});

describe('writeAvPairs', () => {
  it('writes the pairs and the end', () => {
    const pairs = new Map([
      [2, bytes('4400')],
      [10, bytes('00')],
    ]);
    expect(writeAvPairs(pairs).toString('hex')).to.equal('020002004400' + '0a00010000' + '00000000');
  });
});
