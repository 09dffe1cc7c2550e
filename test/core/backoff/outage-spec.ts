import { expect } from 'chai';
import {
  NO_OUTAGE,
  type Outage,
  outageAfter,
  type OutageInput,
  waitingReason,
} from '../../../lib/core/backoff/outage.ts';
import type { WaitingReason } from '../../../lib/core/connectionStatus.ts';
import { HttpError, NetworkError, TokenError } from '../../../lib/core/errors.ts';

const policy = { initialMs: 100, maxMs: 1000, random: () => 1 };
const down: Outage = { failures: 2, retryAt: 1000, isAsked: false, isProbing: false, cameOnline: false };
const probing: Outage = { ...down, isProbing: true };
const asked: Outage = { ...down, isAsked: true };

describe('outageAfter', () => {
  const cases: readonly [name: string, before: Outage, input: OutageInput, now: number, after: Outage][] = [
    ['an answer', NO_OUTAGE, { what: 'answered' }, 5, NO_OUTAGE],
    ['an answer that ends an outage', probing, { what: 'answered' }, 5, NO_OUTAGE],
    ['the first failure', NO_OUTAGE, { what: 'failed' }, 5, { ...down, failures: 1, retryAt: 105 }],
    ['a failure that was under way with it', down, { what: 'failed' }, 5, down],
    ['the failure of a probe', probing, { what: 'failed' }, 1000, { ...down, failures: 3, retryAt: 1400 }],
    [
      'a failure that asks to wait',
      NO_OUTAGE,
      { what: 'failed', askedMs: 7000 },
      5,
      { ...asked, failures: 1, retryAt: 7105 },
    ],
    ['a later wish to wait', down, { what: 'failed', askedMs: 7000 }, 5, { ...asked, retryAt: 7005 }],
    ['an earlier wish to wait', down, { what: 'failed', askedMs: 10 }, 5, down],
    ['a probe', asked, { what: 'probed' }, 1000, { ...probing, retryAt: 1200 }],
    [
      'a network in an outage',
      down,
      { what: 'online' },
      5,
      { ...down, failures: 1, retryAt: 5, cameOnline: true },
    ],
    [
      'a network that comes after the probe is due',
      down,
      { what: 'online' },
      2000,
      { ...down, failures: 1, cameOnline: true },
    ],
    ['a network while the server wants to be left alone', asked, { what: 'online' }, 5, asked],
    ['a network without an outage', NO_OUTAGE, { what: 'online' }, 5, NO_OUTAGE],
  ];
  for (const [name, before, input, now, after] of cases) {
    it(`follows ${name}`, () => {
      expect(outageAfter(before, input, now, policy)).to.deep.equal(after);
    });
  }

  it('never lets two probes out in the same millisecond', () => {
    const { retryAt } = outageAfter(down, { what: 'probed' }, 1000, { ...policy, random: () => 0 });
    expect(retryAt).to.equal(1001);
  });
});

describe('waitingReason', () => {
  const request = { method: 'GET', url: 'https://pool.contoso.com/' };
  const cases: readonly [error: unknown, reason: WaitingReason][] = [
    [new NetworkError('no answer', request), 'network'],
    [new HttpError(503, request), 'server'],
    [new HttpError(429, request), 'throttled'],
    [new HttpError(503, request, { retryAfterMs: 5000 }), 'throttled'],
    [new TokenError('https://pool.contoso.com', new HttpError(400, request)), 'signIn'],
    [new TypeError('unknown'), 'server'],
  ];
  for (const [error, reason] of cases) {
    it(`is ${reason} after ${String(error)}`, () => {
      expect(waitingReason(error)).to.equal(reason);
    });
  }
});
