import { expectTokenRefreshes } from './tokenRefreshes.ts';

describe('A stream with tokens of an hour', () => {
  it('lives for three weeks, and asks for a token only when one is needed', () => {
    expectTokenRefreshes(21);
  }).timeout(120_000);
});
