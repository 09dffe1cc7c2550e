import { expect } from 'chai';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { detachString } from '../../../lib/ews/protocol/eventSchema.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

describe('copied', () => {
  for (const text of ['', 'a', 'twelve chars', 'thirteen char', 'ä'.repeat(40), '🎈'.repeat(40)]) {
    it(`should be the same text: ${JSON.stringify(text)}`, () => {
      expect(detachString(text)).to.equal(text);
    });
  }

  it('should not keep the text that it was cut out of', () => {
    const bytes = new Uint8Array(400_000).fill(0x61);
    const decoder = new TextDecoder();
    const before = heapBytes();
    const kept = Array.from({ length: 20 }, () => detachString(decoder.decode(bytes).slice(1000, 1120)));
    expect(heapBytes() - before).to.be.lessThan(1_000_000);
    expect(kept.join('')).to.have.length(20 * 120);
  });
});
