import { expect } from 'chai';
import { asyncScheduler, throwError, timer } from 'rxjs';
import { NetworkError } from '../../../lib/core/errors.ts';
import type { HttpRequest } from '../../../lib/core/transport/transport.ts';
import {
  type AttemptResult,
  decideRetry,
  type RetryPolicy,
  withRetry,
} from '../../../lib/core/backoff/withRetry.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { type PreparedResponse, respondWith, response } from '../../support/responses.ts';

const get: HttpRequest = { method: 'GET', url: 'https://pool.example/' };
const post: HttpRequest = { ...get, method: 'POST' };
const broken = new NetworkError('no answer', get);
const policy: RetryPolicy = { initialMs: 100, random: () => 1 };

describe('decideRetry', () => {
  const cases: readonly [
    name: string,
    result: AttemptResult,
    idempotent: 'again' | 'no',
    other: 'again' | 'no',
  ][] = [
    ['200', { status: 200 }, 'no', 'no'],
    ['400', { status: 400 }, 'no', 'no'],
    ['401', { status: 401 }, 'no', 'no'],
    ['404', { status: 404 }, 'no', 'no'],
    ['408', { status: 408 }, 'again', 'no'],
    ['429', { status: 429 }, 'again', 'again'],
    ['500', { status: 500 }, 'no', 'no'],
    ['502', { status: 502 }, 'again', 'no'],
    ['503', { status: 503 }, 'again', 'again'],
    ['504', { status: 504 }, 'again', 'no'],
    ['a broken connection', { error: broken }, 'again', 'no'],
    [
      'a request that was not sent',
      { error: new NetworkError('not sent', post, { isUnsent: true }) },
      'again',
      'again',
    ],
    ['another error', { error: new Error('x') }, 'no', 'no'],
    ['429 with a wait that is too long', { status: 429, retryAfterMs: 300_001 }, 'no', 'no'],
  ];
  for (const [name, result, idempotent, other] of cases) {
    it(`decides on ${name}`, () => {
      expect(decideRetry(policy, 1, true, result).retry).to.equal(idempotent === 'again');
      expect(decideRetry(policy, 1, false, result).retry).to.equal(other === 'again');
    });
  }

  it('waits longer each time, and never less than Retry-After', () => {
    expect(decideRetry(policy, 1, true, { status: 503 })).to.deep.equal({ retry: true, delayMs: 100 });
    expect(decideRetry(policy, 3, true, { error: broken })).to.deep.equal({ retry: true, delayMs: 400 });
    expect(decideRetry(policy, 1, true, { status: 503, retryAfterMs: 5000 })).to.deep.equal({
      retry: true,
      delayMs: 5100,
    });
  });

  it('stops after the retries', () => {
    expect(decideRetry(policy, 4, true, { status: 503 }).retry).to.equal(true);
    expect(decideRetry(policy, 5, true, { status: 503 }).retry).to.equal(false);
    expect(decideRetry({ retries: 0 }, 1, true, { status: 503 }).retry).to.equal(false);
  });
});

function run(request: HttpRequest, ...answers: readonly PreparedResponse[]): string[] {
  const log: string[] = [];
  const server = respondWith(...answers);
  inVirtualTime(() => {
    withRetry(policy)((sent) => {
      log.push(`${asyncScheduler.now()} ${sent.method}`);
      return server.transport(sent);
    })(request).subscribe({
      next: ({ status }) => log.push(`${asyncScheduler.now()} ${status}`),
      error: (error: Error) => log.push(`${asyncScheduler.now()} ${error.message}`),
      complete: () => log.push('done'),
    });
  });
  return log;
}

describe('withRetry', () => {
  it('passes a good answer on', () => {
    expect(run(get, response(200))).to.deep.equal(['0 GET', '0 200', 'done']);
  });

  it('sends again after a while, and pass the answer on', () => {
    expect(
      run(
        get,
        response(503),
        throwError(() => broken),
        response(200),
      ),
    ).to.deep.equal(['0 GET', '100 GET', '300 GET', '300 200', 'done']);
  });

  it('honours Retry-After in seconds and as a date', () => {
    const seconds = response(429, { headers: { 'retry-after': '2' } });
    const date = response(503, { headers: { 'retry-after': new Date(10_000).toUTCString() } });
    expect(run(post, seconds, date, response(201))).to.deep.equal([
      '0 POST',
      '2100 POST',
      '10200 POST',
      '10200 201',
      'done',
    ]);
  });

  it('emits the last response or error after the last retry', () => {
    expect(run(get, response(503)).slice(-3)).to.deep.equal(['1500 GET', '1500 503', 'done']);
    expect(
      run(
        get,
        throwError(() => broken),
      ).slice(-2),
    ).to.deep.equal(['1500 GET', `1500 ${broken.message}`]);
  });

  it('does not retry a POST after a broken connection', () => {
    expect(
      run(
        post,
        throwError(() => broken),
      ),
    ).to.deep.equal(['0 POST', `0 ${broken.message}`]);
  });

  it('takes the request’s word that it is idempotent', () => {
    expect(run({ ...post, idempotent: true }, response(504), response(200))).to.contain('100 200');
  });

  it('sends nothing more when the subscriber leaves while it waits', () => {
    const server = respondWith(response(503));
    inVirtualTime(() => {
      const subscription = withRetry(policy)(server.transport)(get).subscribe();
      timer(50).subscribe(() => subscription.unsubscribe());
    });
    expect(server.requests).to.have.length(1);
  });

  for (const bad of [
    { retries: -1 },
    { retries: 0.5 },
    { initialMs: -1 },
    { maxMs: Number.NaN },
    { maxRetryAfterMs: -1 },
  ]) {
    it(`names the option that cannot be used: ${JSON.stringify(bad)}`, () => {
      expect(() => withRetry(bad)).to.throw(TypeError, `retry.${Object.keys(bad)[0]}`);
    });
  }
});
