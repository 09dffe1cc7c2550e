import { expect } from 'chai';
import type { RequestProgress } from '../../lib/core/transport.ts';
import { untilLeftOpen } from '../../lib/ucwa/leftOpen.ts';

describe('untilLeftOpen', () => {
  const cases: readonly (readonly [string, readonly RequestProgress[], readonly RequestProgress[]])[] = [
    ['one attempt that is refused', ['sent', 'undone'], ['sent', 'undone']],
    [
      'several that are all refused',
      ['sent', 'undone', 'sent', 'undone'],
      ['sent', 'undone', 'sent', 'undone'],
    ],
    ['one that was left open before one that is refused', ['sent', 'sent', 'undone'], ['sent', 'sent']],
    [
      'the same after one that is refused',
      ['sent', 'undone', 'sent', 'sent', 'undone'],
      ['sent', 'undone', 'sent', 'sent'],
    ],
    [
      'none that can undo what was left open',
      ['sent', 'sent', 'undone', 'sent', 'undone'],
      ['sent', 'sent', 'sent'],
    ],
  ];
  for (const [name, given, expected] of cases) {
    it(`should pass on what is certain: ${name}`, () => {
      const told: RequestProgress[] = [];
      const onProgress = untilLeftOpen((progress) => told.push(progress));
      given.forEach(onProgress);
      expect(told).to.deep.equal(expected);
    });
  }
});
