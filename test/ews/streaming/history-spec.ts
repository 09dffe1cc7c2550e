import { expect } from 'chai';
import { HttpError, NetworkError } from '../../../lib/core/errors.ts';
import type { StreamRequest } from '../../../lib/ews/streaming/handover.ts';
import {
  afterEnd,
  afterUnreadable,
  NO_HISTORY,
  type Reopening,
  type RequestHistory,
} from '../../../lib/ews/streaming/history.ts';

/** A request that was opened at 0, and has responded. */
const REQUEST: StreamRequest = {
  number: 1,
  members: new Map(),
  openedAt: 0,
  hasResponded: true,
  mayHaveActed: true,
  isClosed: false,
  hasLostMembers: false,
  decodeError: undefined,
};
const what = { method: 'POST', url: 'https://mail.example/' };
const BROKEN = new NetworkError('broken', what);
const BUSY = new HttpError(503, what);
const TWICE: RequestHistory = { shortLives: 2, unreadable: 1, renewals: 2 };

describe('The history of the requests of a connection', () => {
  const ends: readonly [
    name: string,
    before: RequestHistory,
    request: Partial<StreamRequest>,
    error: unknown,
    endedAt: number,
    shortLives: number,
    reopening: Reopening,
  ][] = [
    ['reopens at once after a long life', TWICE, {}, undefined, 10_000, 1, { when: 'now', failures: 1 }],
    ['reopens at once after it broke', NO_HISTORY, {}, BROKEN, 10_000, 1, { when: 'now', failures: 1 }],
    [
      'reopens soon after its own Unsubscribe has ended it',
      TWICE,
      { isClosed: true, hasLostMembers: true },
      undefined,
      5000,
      2,
      { when: 'soon', failures: 0 },
    ],
    ['waits after a second short life', TWICE, {}, undefined, 9999, 3, { when: 'backoff', failures: 3 }],
    [
      'waits after the first if there was no response',
      NO_HISTORY,
      { hasResponded: false },
      BROKEN,
      20_000,
      1,
      { when: 'backoff', failures: 1 },
    ],
    ['waits after a refusal', NO_HISTORY, {}, BUSY, 20_000, 1, { when: 'backoff', failures: 1 }],
    [
      'waits after a failure though members have left',
      NO_HISTORY,
      { isClosed: true, hasLostMembers: true },
      BUSY,
      5000,
      1,
      { when: 'backoff', failures: 1 },
    ],
  ];
  for (const [name, before, request, error, endedAt, shortLives, reopening] of ends) {
    it(name, () => {
      const after = afterEnd(before, { ...REQUEST, ...request }, error, endedAt);
      expect(after).to.deep.equal([{ ...before, shortLives }, reopening]);
    });
  }

  it('renews an unreadable request soon, then with backoff', () => {
    const [once, soon] = afterUnreadable(NO_HISTORY, REQUEST, 1000);
    expect([once, soon]).to.deep.equal([
      { ...NO_HISTORY, renewals: 1 },
      { when: 'soon', failures: 1 },
    ]);
    const [twice, later] = afterUnreadable(once, REQUEST, 1000);
    expect([twice.renewals, later]).to.deep.equal([2, { when: 'backoff', failures: 2 }]);
    expect(afterUnreadable(twice, REQUEST, 10_000)[1].when).to.equal('soon');
  });
});
