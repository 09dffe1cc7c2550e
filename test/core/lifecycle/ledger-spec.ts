import { expect } from 'chai';
import { asyncScheduler, NEVER, Observable, of, Subject, timer } from 'rxjs';
import { ClosedError } from '../../../lib/core/errors.ts';
import { shareWithGrace, untilClosed } from '../../../lib/core/lifecycle/closing.ts';
import { type PendingRelease, releaseLedger } from '../../../lib/core/lifecycle/ledger.ts';
import { releaseEntry, type ReleaseOutcome } from '../../../lib/core/lifecycle/releaseOutcome.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';

const released = (id: string): ReleaseOutcome => ({
  outcome: 'Released',
  attempts: 1,
  ...releaseEntry('thing', id),
});
const failed = (id: string): ReleaseOutcome => ({
  outcome: 'Failed',
  attempts: 1,
  cause: 'x',
  ...releaseEntry('thing', id),
});

const thing: PendingRelease = { resource: 'thing', id: '1' };

describe('releaseLedger', () => {
  it('emits each outcome to all subscribers', () => {
    const ledger = releaseLedger();
    const seen: unknown[] = [];
    ledger.outcomes$.subscribe((outcome) => seen.push(outcome));
    ledger.outcomes$.subscribe((outcome) => seen.push(outcome));
    const outcome = released('1');
    ledger.record(outcome);
    expect(seen).to.deep.equal([outcome, outcome]);
  });

  it('counts pending releases, and each end once', () => {
    const ledger = releaseLedger();
    const counts: number[] = [];
    ledger.pending$.subscribe((count) => counts.push(count));
    const endOne = ledger.begin(thing);
    const endTwo = ledger.begin(thing);
    endOne();
    endOne();
    endTwo();
    expect(counts).to.deep.equal([0, 1, 2, 1, 0]);
  });

  it('does not let subscribers write', () => {
    const ledger = releaseLedger();
    expect(ledger.outcomes$).not.to.have.property('next');
    expect(ledger.pending$).not.to.have.property('next');
  });

  it('gives at most 300 characters of an id, each of them printable', async () => {
    const id = `\u202e\u2028\u009b${'a'.repeat(10_000)}`;
    const shown = `\ufffd\ufffd\ufffd${'a'.repeat(297)}…`;
    const ledger = releaseLedger();
    const seen: unknown[] = [];
    ledger.outcomes$.subscribe((outcome) => seen.push(outcome.id));
    ledger.begin({ resource: 'thing', id });
    ledger.record(failed(id));
    const { pending = [], outcomes } = await ledger.drain({ timeoutMs: 0 });
    expect([...seen, ...outcomes.map((one) => one.id), ...pending.map((one) => one.id)]).to.deep.equal([
      shown,
      shown,
      shown,
    ]);
  });

  describe('drain, for a time', () => {
    it('reports pending releases when the time is up, and not clean', async () => {
      const ledger = releaseLedger();
      ledger.begin(thing);
      const end = ledger.begin({ resource: 'thing', id: undefined });
      ledger.record(released('0'));
      const { outcomes, ...recorded } = await ledger.drain({ timeoutMs: 1 });
      expect(recorded).to.deep.equal({
        clean: false,
        pending: [thing, { resource: 'thing', id: undefined }],
      });
      expect(outcomes.map(({ id }) => id)).to.deep.equal(['0']);
      end();
      expect(await ledger.drain({ timeoutMs: 0 })).to.deep.equal({
        clean: false,
        pending: [thing],
        outcomes: [],
      });
    });

    it('waits no longer than necessary, and leaves no timer', () => {
      inVirtualTime(({ flush }) => {
        const ledger = releaseLedger();
        const end = ledger.begin(thing);
        timer(50).subscribe(end);
        void ledger.drain({ timeoutMs: 60_000 });
        void ledger.close({ timeoutMs: 60_000 });
        flush();
        expect(asyncScheduler.now()).to.equal(50);
      });
    });

    it('reports outcomes after the timeout in the next report', async () => {
      const ledger = releaseLedger();
      const end = ledger.begin(thing);
      await ledger.drain({ timeoutMs: 0 });
      ledger.record(failed('1'));
      end();
      const { clean, outcomes, pending } = await ledger.drain();
      expect([clean, outcomes.length, pending]).to.deep.equal([false, 1, undefined]);
    });

    it('throws for an invalid time, before anything is closed', () => {
      const ledger = releaseLedger();
      for (const timeoutMs of [-1, Number.NaN, 2 ** 31, '1' as unknown as number]) {
        expect(() => ledger.drain({ timeoutMs })).to.throw(TypeError, 'timeoutMs must be a number from 0 to');
        expect(() => ledger.close({ timeoutMs })).to.throw(TypeError, 'timeoutMs');
      }
      expect(ledger.isClosed).to.equal(false);
    });
  });

  describe('drain', () => {
    it('resolves at once when nothing is pending', async () => {
      expect(await releaseLedger().drain()).to.deep.equal({ clean: true, outcomes: [] });
    });

    it('waits for all pending releases, and reports their outcomes', async () => {
      const ledger = releaseLedger();
      const end = ledger.begin(thing);
      let isDrained = false;
      const drained = ledger.drain().finally(() => (isDrained = true));
      await Promise.resolve();
      expect(isDrained).to.equal(false);
      const outcome = released('1');
      ledger.record(outcome);
      end();
      expect(await drained).to.deep.equal({ clean: true, outcomes: [outcome] });
    });

    it('reports earlier outcomes once', async () => {
      const ledger = releaseLedger();
      const outcomes = [released('0'), failed('1')];
      outcomes.forEach((outcome) => {
        ledger.record(outcome);
      });
      expect(await ledger.drain()).to.deep.equal({ clean: false, outcomes });
      expect(await ledger.drain()).to.deep.equal({ clean: true, outcomes: [] });
    });

    it('keeps the newest 1,000 outcomes, and failures above all', async () => {
      const ledger = releaseLedger();
      ledger.record(failed('problem'));
      for (let index = 0; index < 1500; index += 1) ledger.record(released(String(index)));
      const { clean, outcomes } = await ledger.drain();
      expect(clean).to.equal(false);
      expect(outcomes).to.have.length(1000);
      expect(outcomes.slice(0, 2).map(({ id }) => id)).to.deep.equal(['problem', '501']);
    });

    it('keeps the newest 1,000 problems', async () => {
      const ledger = releaseLedger();
      for (let index = 0; index < 1500; index += 1) ledger.record(failed(String(index)));
      const { outcomes } = await ledger.drain();
      expect(outcomes).to.have.length(1000);
      expect(outcomes[0]?.id).to.equal('500');
    });

    it('reports the same to two drains at the same time', async () => {
      const ledger = releaseLedger();
      const end = ledger.begin(thing);
      const both = [ledger.drain(), ledger.drain()];
      ledger.record(failed('1'));
      end();
      const [one, two] = await Promise.all(both);
      expect(one).to.deep.equal(two);
      expect(await ledger.drain()).to.deep.equal({ clean: true, outcomes: [] });
    });

    it('reports to a longer drain the outcomes that a shorter one reported', async () => {
      const ledger = releaseLedger();
      const end = ledger.begin(thing);
      const longer = ledger.close();
      ledger.record(failed('1'));
      const shorter = await ledger.drain({ timeoutMs: 0 });
      expect(shorter.outcomes.map(({ id }) => id)).to.deep.equal(['1']);
      ledger.record(released('2'));
      end();
      const { clean, outcomes } = await longer;
      expect(clean).to.equal(false);
      expect(outcomes.map(({ id }) => id)).to.deep.equal(['1', '2']);
      // A report is not changed afterwards.
      expect(shorter.outcomes).to.have.length(1);
    });
  });

  describe('close', () => {
    it('gives up after 10 seconds by default', () => {
      const log: unknown[] = [];
      inVirtualTime(({ flush }) => {
        const ledger = releaseLedger();
        ledger.begin(thing);
        ledger.givenUp$.subscribe(() => log.push(asyncScheduler.now()));
        void ledger.close();
        flush();
      });
      expect(log).to.deep.equal([10_000]);
    });

    it('gives up after timeoutMs', () => {
      const log: unknown[] = [];
      inVirtualTime(({ flush }) => {
        const ledger = releaseLedger();
        ledger.begin(thing);
        ledger.givenUp$.subscribe(() => log.push(asyncScheduler.now()));
        void ledger.close({ timeoutMs: 500 });
        flush();
        ledger.givenUp$.subscribe(() => log.push('at once'));
      });
      expect(log).to.deep.equal([500, 'at once']);
    });

    it('does not give up when nothing is pending', () => {
      const log: unknown[] = [];
      inVirtualTime(({ flush }) => {
        const ledger = releaseLedger();
        ledger.givenUp$.subscribe(() => log.push('given up'));
        void ledger.close({ timeoutMs: 500 });
        void ledger.drain({ timeoutMs: 500 });
        flush();
      });
      expect(log).to.deep.equal([]);
    });

    it('names the pending releases, and reports them as Failed', async () => {
      const ledger = releaseLedger();
      const end = ledger.begin(thing);
      ledger.givenUp$.subscribe(() => {
        ledger.record(failed('1'));
        end();
      });
      const { clean, pending, outcomes } = await ledger.close({ timeoutMs: 0 });
      expect([clean, pending]).to.deep.equal([false, [thing]]);
      expect(outcomes.map(({ outcome, id }) => `${outcome} ${id}`)).to.deep.equal(['Failed 1']);
      expect(await ledger.drain()).to.deep.equal({ clean: true, outcomes: [] });
    });
  });

  it('is closed by await using, and then refuse', async () => {
    const ledger = releaseLedger();
    const log: string[] = [];
    NEVER.pipe(untilClosed(ledger, 'presence')).subscribe({ complete: () => log.push('completed') });
    expect(ledger.isClosed).to.equal(false);
    await ledger[Symbol.asyncDispose]();
    expect(log).to.deep.equal(['completed']);
    expect(ledger.isClosed).to.equal(true);
    of(1)
      .pipe(untilClosed(ledger, 'presence'))
      .subscribe({ next: () => log.push('next'), error: (error: Error) => log.push(error.message) });
    expect(log.slice(1)).to.deep.equal([new ClosedError('presence').message]);
  });
});

describe('shareWithGrace', () => {
  function counted(): { source: Observable<number>; log: string[] } {
    const log: string[] = [];
    return {
      log,
      source: new Observable<number>((subscriber) => {
        log.push('begin');
        subscriber.next(1);
        return () => log.push('end');
      }),
    };
  }

  it('subscribes once for all, and unsubscribes with the last', () => {
    const { source, log } = counted();
    const shared = source.pipe(shareWithGrace(releaseLedger(), 0));
    const one = shared.subscribe();
    const two = shared.subscribe();
    one.unsubscribe();
    expect(log).to.deep.equal(['begin']);
    two.unsubscribe();
    expect(log).to.deep.equal(['begin', 'end']);
    shared.subscribe().unsubscribe();
    expect(log).to.deep.equal(['begin', 'end', 'begin', 'end']);
  });

  it('keeps it for the grace time, and no longer', () => {
    const { source, log } = counted();
    inVirtualTime(() => {
      const shared = source.pipe(shareWithGrace(releaseLedger(), 100));
      shared.subscribe().unsubscribe();
      timer(99).subscribe(() => {
        shared.subscribe().unsubscribe();
        log.push('again');
      });
      timer(198).subscribe(() => log.push('198'));
      timer(200).subscribe(() => log.push('200'));
    });
    expect(log).to.deep.equal(['begin', 'again', '198', 'end', '200']);
  });

  it('ends a grace period immediately when the ledger is drained', async () => {
    const { source, log } = counted();
    const ledger = releaseLedger();
    source.pipe(shareWithGrace(ledger, 3_600_000)).subscribe().unsubscribe();
    expect(log).to.deep.equal(['begin']);
    await ledger.drain();
    expect(log).to.deep.equal(['begin', 'end']);
  });

  it('ends a grace period at once that would start during a drain', () => {
    const { source, log } = counted();
    const ledger = releaseLedger();
    const end = ledger.begin(thing);
    void ledger.drain();
    const inUse = source.pipe(shareWithGrace(ledger, 3_600_000)).subscribe();
    expect(log).to.deep.equal(['begin']);
    inUse.unsubscribe();
    expect(log).to.deep.equal(['begin', 'end']);
    end();
  });

  it('starts grace periods again after the last drain', async () => {
    const ledger = releaseLedger();
    const end = ledger.begin(thing);
    const longer = ledger.drain();
    await ledger.drain({ timeoutMs: 0 });
    const during = counted();
    during.source.pipe(shareWithGrace(ledger, 3_600_000)).subscribe().unsubscribe();
    expect(during.log).to.deep.equal(['begin', 'end']);
    end();
    await longer;
    const after = counted();
    inVirtualTime(({ flush }) => {
      after.source.pipe(shareWithGrace(ledger, 1000)).subscribe().unsubscribe();
      expect(after.log).to.deep.equal(['begin']);
      flush();
    });
    expect(after.log).to.deep.equal(['begin', 'end']);
  });

  it('keeps nothing after the ledger is closed', async () => {
    const { source, log } = counted();
    const ledger = releaseLedger();
    await ledger.close();
    source.pipe(shareWithGrace(ledger, 3_600_000)).subscribe().unsubscribe();
    expect(log).to.deep.equal(['begin', 'end']);
  });

  it('keeps resources in use when the ledger is drained', async () => {
    const { source, log } = counted();
    const ledger = releaseLedger();
    const subscription = source.pipe(shareWithGrace(ledger, 10)).subscribe();
    await ledger.drain();
    expect(log).to.deep.equal(['begin']);
    subscription.unsubscribe();
    await ledger.drain();
  });

  it('gives late subscribers what the connector keeps', () => {
    const values = new Subject<number>();
    const seen: number[] = [];
    const shared = values.pipe(shareWithGrace(releaseLedger(), 0));
    shared.subscribe();
    values.next(1);
    shared.subscribe((value) => seen.push(value));
    expect(seen).to.deep.equal([]);
  });
});
