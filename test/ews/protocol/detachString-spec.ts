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

describe('detachString', () => {
  for (const text of ['', 'a', 'twelve chars', 'thirteen char', 'ä'.repeat(40), '🎈'.repeat(40)]) {
    it(`returns the same text: ${JSON.stringify(text)}`, () => {
      expect(detachString(text)).to.equal(text);
    });
  }

  it('does not retain the text that it was sliced from', () => {
    const bytes = new Uint8Array(400_000).fill(0x61);
    const decoder = new TextDecoder();
    const before = heapBytes();
    const detached = Array.from({ length: 20 }, () => detachString(decoder.decode(bytes).slice(1000, 1120)));
    expect(heapBytes() - before).to.be.lessThan(1_000_000);
    expect(detached.join('')).to.have.length(20 * 120);
  });
});
