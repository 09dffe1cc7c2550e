import { expectMaxConnections } from '../maxConnections.ts';

describe('A connection that streams share', () => {
  for (const maxConnections of [2, 3]) {
    it(`should never have more than ${maxConnections} requests hang, however they come and go`, () => {
      expectMaxConnections(maxConnections);
    }).timeout(60_000);
  }
});
