import { expectTokenRefreshes } from './tokenRefreshes.ts';

describe('A stream with tokens of an hour', () => {
  it('lives for three weeks, and requests tokens only when necessary', () => {
    expectTokenRefreshes(21);
  }).timeout(120_000);
});
