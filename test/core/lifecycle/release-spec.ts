import { expect } from 'chai';
import { asyncScheduler, NEVER, Observable, of, throwError, timer } from 'rxjs';
import { HttpError, NetworkError } from '../../../lib/core/errors.ts';
import { decideRelease, release, type ReleasePlan } from '../../../lib/core/lifecycle/release.ts';
import { releaseLedger, type ReleaseLedger } from '../../../lib/core/lifecycle/ledger.ts';
import { type ReleaseOutcome } from '../../../lib/core/lifecycle/releaseOutcome.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

const REQUEST = { method: 'DELETE', url: 'https://things.example/t1' };
const unreachable = new NetworkError('no answer', REQUEST, { code: 'ECONNREFUSED' });
const answered = (status: number): HttpError => new HttpError(status, REQUEST);

interface Releasing {
  readonly ledger: ReleaseLedger;
  readonly outcomes: ReleaseOutcome[];
  /** When each attempt began, in virtual milliseconds. */
  readonly attempts: number[];
}

/** Releases a thing, by attempts that fail with these errors in turn and then succeed. */
function releasing(errors: readonly unknown[], plan: Partial<ReleasePlan> = {}): Releasing {
  const ledger = releaseLedger();
  const outcomes: ReleaseOutcome[] = [];
  const attempts: number[] = [];
  ledger.outcomes$.subscribe((outcome) => outcomes.push(outcome));
  release(
    ledger,
    {
      ...{ resource: 'thing', id: 't1', decide: decideRelease, expiresAt: undefined },
      backoff: { random: () => 0.999_999 },
      attempt: () => {
        const count = attempts.push(asyncScheduler.now());
        return count > errors.length ? of({}) : throwError(() => errors[count - 1]);
      },
      ...plan,
    },
    () => undefined,
  );
  return { ledger, outcomes, attempts };
}

describe('decideRelease', () => {
  const table: readonly (readonly [string, unknown, string])[] = [
    ['404', answered(404), 'alreadyGone'],
    ['410', answered(410), 'alreadyGone'],
    ['a lost connection', unreachable, 'retry'],
    ...[401, 408, 429, 500, 502, 503, 504].map((status) => [`${status}`, answered(status), 'retry'] as const),
    ...[400, 403, 405, 409, 501].map((status) => [`${status}`, answered(status), 'fail'] as const),
    ['an error of the caller', new TypeError('x'), 'fail'],
  ];
  for (const [name, error, decision] of table) {
    it(`decides ${decision} for ${name}`, () => {
      expect(decideRelease(error)).to.equal(decision);
    });
  }
});

describe('release', () => {
  it('doubles the longest wait between attempts up to 30 seconds', () => {
    const { attempts } = inVirtualTime(({ flush }) => {
      const all = releasing(new Array(10).fill(unreachable));
      flush();
      return all;
    });
    const waits = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
    expect(waits).to.deep.equal([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });

  it('resets the backoff for each release', () => {
    const second = inVirtualTime(({ flush }) => {
      releasing([unreachable, unreachable, unreachable]);
      flush();
      const begun = asyncScheduler.now();
      const all = releasing([unreachable]);
      flush();
      return all.attempts.map((at) => at - begun);
    });
    expect(second).to.deep.equal([0, 500]);
  });

  for (const status of [404, 410]) {
    it(`counts ${status} as already gone, after one attempt`, () => {
      const { outcomes, attempts } = releasing([answered(status)]);
      expect(outcomes).to.have.length(1);
      expect(outcomes[0]).to.include({ outcome: 'AlreadyGone', attempts: 1, id: 't1' });
      expect(attempts).to.have.length(1);
    });
  }

  it('makes no attempt after an error that is not transient', () => {
    const { outcomes, attempts } = inVirtualTime(() => releasing([answered(403)]));
    expect(outcomes[0]).to.include({ outcome: 'Failed', attempts: 1 });
    expect(attempts).to.have.length(1);
  });

  it('calls done after the outcome is recorded and before pending falls', () => {
    const log: string[] = [];
    const ledger = releaseLedger();
    ledger.outcomes$.subscribe(({ outcome }) => log.push(outcome));
    ledger.pending$.subscribe((count) => log.push(`${count} pending`));
    const plan = { resource: 'thing', id: 't1', decide: decideRelease, expiresAt: undefined };
    release(ledger, { ...plan, backoff: undefined, attempt: () => of({}) }, () => log.push('done'));
    expect(log).to.deep.equal(['0 pending', '1 pending', 'Released', 'done', '0 pending']);
  });

  describe('when close gives up', () => {
    it('stops retrying, and reports the last error as Failed', () => {
      const { outcomes, attempts } = inVirtualTime(({ flush }) => {
        const all = releasing(new Array(100).fill(unreachable));
        void all.ledger.close();
        flush();
        // 500, 1500, 3500 and 7500 ms, and the end after 10 s: nothing is left in the scheduler.
        expect(asyncScheduler.now()).to.equal(10_000);
        return all;
      });
      expect(attempts).to.have.length(5);
      expect(outcomes).to.have.length(1);
      expect(outcomes[0]).to.include({ outcome: 'Failed', attempts: 5, cause: unreachable });
    });

    it('aborts an attempt that is not answered', () => {
      const log: string[] = [];
      const silent$ = new Observable<never>(() => () => log.push(`aborted at ${asyncScheduler.now()}`));
      const { outcomes } = inVirtualTime(({ flush }) => {
        const all = releasing([], { attempt: () => silent$ });
        void all.ledger.close({ timeoutMs: 2000 });
        flush();
        return all;
      });
      expect(log).to.deep.equal(['aborted at 2000']);
      expect(outcomes[0]).to.include({ outcome: 'Failed', attempts: 1 });
      expect(outcomes[0]).to.have.nested.property('cause.message').that.contains('timeoutMs');
    });

    it('sends nothing for a release that begins afterwards', () => {
      const ledger = releaseLedger();
      const outcomes: ReleaseOutcome[] = [];
      let attempts = 0;
      const plan = { resource: 'thing', id: 't2', decide: decideRelease, expiresAt: undefined };
      inVirtualTime(({ flush }) => {
        ledger.begin({ resource: 'thing', id: 't1' });
        void ledger.close({ timeoutMs: 1 });
        flush();
        ledger.outcomes$.subscribe((outcome) => outcomes.push(outcome));
        const attempt = (): Observable<never> => ((attempts += 1), NEVER);
        release(ledger, { ...plan, backoff: undefined, attempt }, () => undefined);
      });
      expect(attempts).to.equal(0);
      expect(outcomes[0]).to.include({ outcome: 'Failed', attempts: 0, id: 't2' });
    });

    it('leaves a release alone when only a drain times out', () => {
      const { outcomes } = inVirtualTime(({ flush }) => {
        const all = releasing([unreachable, unreachable]);
        void all.ledger.drain({ timeoutMs: 600 });
        flush();
        return all;
      });
      expect(outcomes[0]).to.include({ outcome: 'Released', attempts: 3 });
    });
  });

  it('ends before close gives up without leaving a timer', () => {
    inVirtualTime(({ flush }) => {
      const { ledger } = releasing([unreachable]);
      void ledger.close();
      timer(100).subscribe();
      flush();
      expect(asyncScheduler.now()).to.equal(500);
    });
  });
});
