import { expectMaxConnections } from '../maxConnections.ts';

describe('A shared connection', () => {
  for (const maxConnections of [2, 3]) {
    it(`never has more than ${maxConnections} requests open`, () => {
      expectMaxConnections(maxConnections);
    }).timeout(60_000);
  }
});
