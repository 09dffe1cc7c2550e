import { expect } from 'chai';
import { coalesceEvents } from '../../../operators/debounceByItem.ts';

describe('coalesceEvents', () => {
  type Answer = 'earlier' | 'later' | 'neither';
  const types = ['created', 'newMail', 'modified', 'moved', 'copied', 'freeBusyChanged', 'deleted', 'other'];
  const E = 'earlier';
  const L = 'later';
  const N = 'neither';
  // A row for each earlier event, a column for each later one, in the order of the types.
  const table: Readonly<Record<string, readonly Answer[]>> = {
    created: [L, L, E, N, N, N, L, N],
    newMail: [E, L, E, N, N, N, L, N],
    modified: [L, L, L, L, L, L, L, L],
    moved: [N, N, E, N, N, N, L, N],
    copied: [N, N, E, N, N, N, L, N],
    freeBusyChanged: [N, N, E, N, N, L, L, N],
    deleted: [N, N, N, N, N, N, L, N],
    other: [N, N, E, N, N, N, L, N],
  };
  for (const [first, answers] of Object.entries(table)) {
    it(`coalesces ${first} and a later event`, () => {
      const found = types.map((second): Answer => {
        const earlier = { type: first };
        const later = { type: second };
        const both = coalesceEvents(earlier, later);
        return both === earlier ? 'earlier' : both === later ? 'later' : 'neither';
      });
      expect(found).to.deep.equal(answers);
    });
  }
});
