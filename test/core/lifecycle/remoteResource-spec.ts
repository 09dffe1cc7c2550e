import { expect } from 'chai';
import {
  asyncScheduler,
  defer,
  EMPTY,
  finalize,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  ReplaySubject,
  Subject,
  switchMap,
  take,
  takeUntil,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import { NetworkError } from '../../../lib/core/errors.ts';
import type { ReleaseResult } from '../../../lib/core/lifecycle/release.ts';
import { type DrainReport, releaseLedger, type ReleaseLedger } from '../../../lib/core/lifecycle/ledger.ts';
import { type ReleaseOutcome } from '../../../lib/core/lifecycle/releaseOutcome.ts';
import type { Transport } from '../../../lib/core/transport/transport.ts';
import { shareWithGrace } from '../../../lib/core/lifecycle/closing.ts';
import { inVirtualTime } from '../../support/virtualTime.ts';
import { fakeResource } from '../../support/resource/fakeResource.ts';
import { type Fate, fakeResourceServer } from '../../support/resource/fakeResourceServer.ts';
import { expectUncaught } from '../../support/uncaught.ts';

function outcomesOf(ledger: ReleaseLedger): ReleaseOutcome[] {
  const outcomes: ReleaseOutcome[] = [];
  ledger.outcomes$.subscribe((outcome) => outcomes.push(outcome));
  return outcomes;
}

function pendingOf(ledger: ReleaseLedger): number {
  let count = -1;
  ledger.pending$.subscribe((value) => (count = value)).unsubscribe();
  return count;
}

const serve = (thereMs: number, backMs = 0): Fate => ({ thereMs, backMs, how: 'serve' });

describe('remoteResource', () => {
  it('sends nothing before it is subscribed to', () => {
    const server = fakeResourceServer();
    fakeResource(server.transport, releaseLedger());
    expect(server.requests).to.deep.equal([]);
  });

  it('creates on subscribe and removes on unsubscribe, synchronously with the transport', () => {
    const server = fakeResourceServer();
    const ledger = releaseLedger();
    const outcomes = outcomesOf(ledger);
    const seen: string[] = [];
    const subscription = fakeResource(server.transport, ledger).subscribe((id) => seen.push(id));
    expect(seen).to.deep.equal(['t1']);
    expect([...server.ids]).to.deep.equal(['t1']);
    subscription.unsubscribe();
    expect(server.requests).to.deep.equal(['POST /', 'DELETE /t1']);
    expect([...server.ids]).to.deep.equal([]);
    expect(outcomes).to.have.length(1);
    expect(outcomes[0]).to.include({ outcome: 'Released', resource: 'thing', id: 't1', attempts: 1 });
    expect(pendingOf(ledger)).to.equal(0);
  });

  it('creates one for each subscriber', () => {
    const server = fakeResourceServer();
    const things = fakeResource(server.transport, releaseLedger());
    const one = things.subscribe();
    const two = things.subscribe();
    expect([...server.ids]).to.deep.equal(['t1', 't2']);
    one.unsubscribe();
    expect([...server.ids]).to.deep.equal(['t2']);
    two.unsubscribe();
    expect([...server.ids]).to.deep.equal([]);
  });

  describe('releases once, however it ends:', () => {
    const closings: Record<string, (things: Observable<string>) => void> = {
      unsubscribe: (things) => {
        things.subscribe().unsubscribe();
      },
      'unsubscribe twice': (things) => {
        const subscription = things.subscribe();
        subscription.unsubscribe();
        subscription.unsubscribe();
      },
      'take(1), in the middle of the subscribe call': (things) => {
        things.pipe(take(1)).subscribe();
      },
      'switchMap to something else': (things) => {
        const source = new Subject<Observable<string>>();
        source.pipe(switchMap((inner) => inner)).subscribe();
        source.next(things);
        source.next(EMPTY);
      },
      'an operator that throws': (things) => {
        things
          .pipe(
            mergeMap(() => {
              throw new Error('in the operator');
            }),
          )
          .subscribe({ error: () => undefined });
      },
    };
    for (const [name, close] of Object.entries(closings)) {
      it(name, () => {
        const server = fakeResourceServer();
        const ledger = releaseLedger();
        const outcomes = outcomesOf(ledger);
        close(fakeResource(server.transport, ledger));
        expect(server.requests).to.deep.equal(['POST /', 'DELETE /t1']);
        expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Released']);
      });
    }

    it('complete', () => {
      const server = fakeResourceServer();
      let completed = false;
      fakeResource(server.transport, releaseLedger(), { use: (id) => of(id) }).subscribe({
        complete: () => (completed = true),
      });
      expect(completed).to.equal(true);
      expect(server.requests).to.deep.equal(['POST /', 'DELETE /t1']);
    });

    it('error', () => {
      const server = fakeResourceServer();
      const errors: unknown[] = [];
      const failing = fakeResource(server.transport, releaseLedger(), {
        use: () => throwError(() => 'broken'),
      });
      failing.subscribe({ error: (error: unknown) => errors.push(error) });
      expect(errors).to.deep.equal(['broken']);
      expect(server.requests).to.deep.equal(['POST /', 'DELETE /t1']);
    });

    it('a use that throws instead of returning an Observable', () => {
      const server = fakeResourceServer();
      const errors: unknown[] = [];
      const throwing = fakeResource(server.transport, releaseLedger(), {
        use: () => {
          throw new Error('no use');
        },
      });
      throwing.subscribe({ error: (error: Error) => errors.push(error.message) });
      expect(errors).to.deep.equal(['no use']);
      expect([...server.ids]).to.deep.equal([]);
    });

    it('an observer that throws, and then leaves', async () => {
      const server = fakeResourceServer();
      const uncaught = expectUncaught();
      const subscription = fakeResource(server.transport, releaseLedger()).subscribe(() => {
        throw new Error('in the observer');
      });
      subscription.unsubscribe();
      expect(server.requests).to.deep.equal(['POST /', 'DELETE /t1']);
      expect(await uncaught).to.have.property('message', 'in the observer');
    });

    it('timeout', () => {
      const server = fakeResourceServer();
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      inVirtualTime(() => {
        fakeResource(server.transport, ledger)
          .pipe(timeout({ each: 50 }))
          .subscribe({ error: () => undefined });
      });
      expect(server.requests).to.deep.equal(['POST /', 'DELETE /t1']);
      expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Released']);
    });
  });

  describe('when the subscriber leaves while it is created', () => {
    it('sends nothing if nothing was sent yet', () => {
      const server = fakeResourceServer();
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      inVirtualTime(({ time }) => {
        const token$ = timer(time('--|'));
        const slow = fakeResource(server.transport, ledger, { parent$: token$.pipe(map(() => undefined)) });
        const subscription = slow.subscribe();
        timer(time('-|')).subscribe(() => subscription.unsubscribe());
      });
      expect(server.requests).to.deep.equal([]);
      expect(outcomes).to.deep.equal([]);
    });

    it('does not abort the request, and release its late answer at once', () => {
      const server = fakeResourceServer([serve(5, 5)]);
      const ledger = releaseLedger();
      const log: string[] = [];
      inVirtualTime(({ time }) => {
        ledger.pending$.subscribe((count) => log.push(`${asyncScheduler.now()} pending ${count}`));
        ledger.outcomes$.subscribe(({ outcome, id }) =>
          log.push(`${asyncScheduler.now()} ${outcome} ${id ?? ''}`),
        );
        const subscription = fakeResource(server.transport, ledger).subscribe((id) =>
          log.push(`emitted ${id}`),
        );
        timer(time('--|')).subscribe(() => subscription.unsubscribe());
      });
      expect(server.requests).to.deep.equal(['POST /', 'DELETE /t1']);
      expect(server.ids.size).to.equal(0);
      expect(log).to.deep.equal([
        '0 pending 0',
        '2 pending 1',
        '10 pending 2',
        '10 Released t1',
        '10 pending 1',
        '10 pending 0',
      ]);
    });

    it('does not try again once the server has refused', () => {
      const server = fakeResourceServer([{ thereMs: 5, backMs: 5, how: 'refuse' }]);
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      inVirtualTime(({ time }) => {
        const subscription = fakeResource(server.transport, ledger).subscribe();
        timer(time('--|')).subscribe(() => subscription.unsubscribe());
      });
      expect(server.requests).to.deep.equal(['POST /']);
      expect(outcomes).to.deep.equal([]);
      expect(pendingOf(ledger)).to.equal(0);
    });

    it('does not try again while it waits for the next attempt', () => {
      const server = fakeResourceServer([{ thereMs: 0, backMs: 0, how: 'refuse' }]);
      const ledger = releaseLedger();
      inVirtualTime(({ time }) => {
        const subscription = fakeResource(server.transport, ledger).subscribe();
        timer(time('--|')).subscribe(() => subscription.unsubscribe());
      });
      expect(server.requests).to.deep.equal(['POST /']);
      expect(pendingOf(ledger)).to.equal(0);
    });

    it('sends nothing if it leaves in the middle of a synchronous acquire', () => {
      const server = fakeResourceServer();
      const stop = new Subject<void>();
      const things = fakeResource(server.transport, releaseLedger(), {
        acquire: (_, onProgress) => {
          stop.next();
          return defer(() => {
            onProgress('sent');
            return of('never');
          });
        },
      });
      const seen: string[] = [];
      things.pipe(takeUntil(stop)).subscribe((id) => seen.push(id));
      expect(seen).to.deep.equal([]);
      expect(server.requests).to.deep.equal([]);
    });

    it('records Unknown, aborts and sends no more when close gives up', () => {
      const server = fakeResourceServer([{ thereMs: 5000, backMs: 60_000, how: 'serve' }]);
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      const log: string[] = [];
      inVirtualTime(({ flush }) => {
        const noted: Transport = (request) =>
          server.transport(request).pipe(finalize(() => log.push(`ended at ${asyncScheduler.now()}`)));
        fakeResource(noted, ledger).subscribe().unsubscribe();
        void ledger.close();
        flush();
      });
      expect(log).to.deep.equal(['ended at 10000']);
      expect(server.requests).to.deep.equal(['POST /']);
      expect(pendingOf(ledger)).to.equal(0);
      expect(outcomes).to.have.length(1);
      expect(outcomes[0]).to.include({ outcome: 'Unknown', hint: 'It stays until the server restarts.' });
    });

    it('releases the resource of a late response once before close gives up', () => {
      const server = fakeResourceServer([serve(5, 5)]);
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      inVirtualTime(({ flush }) => {
        fakeResource(server.transport, ledger).subscribe().unsubscribe();
        ledger.begin({ resource: 'other', id: undefined });
        void ledger.close();
        flush();
      });
      expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Released']);
    });

    it('records that the response was lost', () => {
      const server = fakeResourceServer([{ thereMs: 5, backMs: 0, how: 'resetAfter' }]);
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      inVirtualTime(({ time }) => {
        const subscription = fakeResource(server.transport, ledger).subscribe();
        timer(time('--|')).subscribe(() => subscription.unsubscribe());
      });
      expect(outcomes).to.have.length(1);
      expect(outcomes[0]).to.include({ outcome: 'Unknown', id: undefined, resource: 'thing' });
      expect(outcomes[0]).to.have.property('hint', 'It stays until the server restarts.');
      expect(pendingOf(ledger)).to.equal(0);
    });
  });

  describe('when the answer to the creation is lost', () => {
    it('errors and records it', () => {
      const server = fakeResourceServer([{ thereMs: 0, backMs: 0, how: 'resetAfter' }]);
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      const errors: unknown[] = [];
      fakeResource(server.transport, ledger).subscribe({ error: (error: unknown) => errors.push(error) });
      expect(errors[0]).to.be.instanceOf(NetworkError);
      expect(outcomes[0]).to.include({ outcome: 'Unknown', cause: errors[0] });
      expect(server.requests).to.deep.equal(['POST /']);
    });

    it('reports Unknown for a refusal after an unanswered attempt', () => {
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      const errors: unknown[] = [];
      fakeResource(fakeResourceServer().transport, ledger, {
        acquire: (_, onProgress) =>
          defer(() => {
            onProgress('sent');
            onProgress('sent');
            onProgress('notProcessed');
            return throwError(() => 'refused');
          }),
      }).subscribe({ error: (error: unknown) => errors.push(error) });
      expect(errors).to.deep.equal(['refused']);
      expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Unknown']);
    });

    it('does not call a refusal lost', () => {
      const server = fakeResourceServer([{ thereMs: 0, backMs: 0, how: 'forbid' }]);
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      const errors: unknown[] = [];
      fakeResource(server.transport, ledger).subscribe({ error: (error: unknown) => errors.push(error) });
      expect(errors[0]).to.have.property('status', 403);
      expect(outcomes).to.deep.equal([]);
    });

    it('errors when the acquire completes without a handle', () => {
      const errors: unknown[] = [];
      fakeResource(fakeResourceServer().transport, releaseLedger(), { acquire: () => EMPTY }).subscribe({
        error: (error: Error) => errors.push(error.name),
      });
      expect(errors).to.deep.equal(['EmptyError']);
    });
  });

  describe('release', () => {
    it('retries after transient faults', () => {
      const server = fakeResourceServer([serve(0), { thereMs: 0, backMs: 0, how: 'resetBefore' }]);
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      inVirtualTime(() => fakeResource(server.transport, ledger).subscribe().unsubscribe());
      expect(server.ids.size).to.equal(0);
      expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Released']);
    });

    it('counts a resource that is already gone as success', () => {
      const server = fakeResourceServer();
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      const subscription = fakeResource(server.transport, ledger).subscribe();
      server.ids.clear();
      subscription.unsubscribe();
      expect(outcomes[0]).to.include({ outcome: 'AlreadyGone', id: 't1', attempts: 1 });
    });

    it('waits as long as the server asks', () => {
      const outcomes: string[] = [];
      const ledger = releaseLedger();
      let attempts = 0;
      inVirtualTime(() => {
        ledger.outcomes$.subscribe(({ outcome }) => outcomes.push(`${asyncScheduler.now()} ${outcome}`));
        fakeResource(fakeResourceServer().transport, ledger, {
          backoff: { initialMs: 0 },
          decide: () => 'retry',
          release: () => (++attempts === 1 ? throwError(() => ({ retryAfterMs: 7000 })) : of({})),
        })
          .subscribe()
          .unsubscribe();
      });
      expect(outcomes).to.deep.equal(['7000 Released']);
    });

    it('stops retrying when the resource has expired on the server', () => {
      const server = fakeResourceServer();
      const ledger = releaseLedger();
      const outcomes: string[] = [];
      inVirtualTime(() => {
        ledger.outcomes$.subscribe(({ outcome }) => outcomes.push(`${asyncScheduler.now()} ${outcome}`));
        fakeResource(server.transport, ledger, {
          expiresAt: () => 1000,
          backoff: { initialMs: 300, random: () => 0.9 },
          release: () =>
            throwError(() => new NetworkError('no answer', { method: 'DELETE', url: 'https://a/' })),
        })
          .subscribe()
          .unsubscribe();
      });
      expect(outcomes).to.deep.equal(['1000 Expired']);
    });

    it('keeps to the expiry as it was extended', () => {
      const ledger = releaseLedger();
      const outcomes: string[] = [];
      inVirtualTime(() => {
        ledger.outcomes$.subscribe(({ outcome }) => outcomes.push(`${asyncScheduler.now()} ${outcome}`));
        fakeResource(fakeResourceServer().transport, ledger, {
          expiresAt: () => 1000,
          use: (id, lease) => {
            lease.extendedTo(5000);
            return of(id);
          },
          release: () =>
            throwError(() => new NetworkError('no answer', { method: 'DELETE', url: 'https://a/' })),
        }).subscribe();
      });
      expect(outcomes).to.deep.equal(['5000 Expired']);
    });

    it('fails after five minutes if the expiry is not known', () => {
      const ledger = releaseLedger();
      const outcomes: ReleaseOutcome[] = [];
      inVirtualTime(() => {
        ledger.outcomes$.subscribe((outcome) => outcomes.push(outcome));
        fakeResource(fakeResourceServer().transport, ledger, {
          release: () =>
            throwError(() => new NetworkError('no answer', { method: 'DELETE', url: 'https://a/' })),
        })
          .subscribe()
          .unsubscribe();
      });
      expect(outcomes).to.have.length(1);
      expect(outcomes[0]).to.include({ outcome: 'Failed' });
      expect(outcomes[0]?.at.getTime()).to.equal(300_000);
    });

    it('fails immediately after a permanent failure, with cause and attempts', () => {
      const server = fakeResourceServer([serve(0), { thereMs: 0, backMs: 0, how: 'forbid' }]);
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      fakeResource(server.transport, ledger).subscribe().unsubscribe();
      expect(outcomes[0]).to.include({ outcome: 'Failed', attempts: 1 });
      expect(outcomes[0]).to.have.nested.property('cause.status', 403);
    });

    it('puts a release that throws into the ledger, never to the caller', () => {
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      const subscription = fakeResource(fakeResourceServer().transport, ledger, {
        release: () => {
          throw new Error('no release');
        },
      }).subscribe();
      expect(() => subscription.unsubscribe()).not.to.throw();
      expect(outcomes[0]).to.have.nested.property('cause.message', 'no release');
    });

    it('begins before use is unsubscribed and can share its sources', () => {
      const log: string[] = [];
      fakeResource(fakeResourceServer().transport, releaseLedger(), {
        use: () => new Observable<string>(() => () => log.push('use ended')),
        release: () => {
          log.push('release');
          return of({});
        },
      })
        .subscribe()
        .unsubscribe();
      expect(log).to.deep.equal(['release', 'use ended']);
    });
  });

  describe('when the server ends it', () => {
    it('sends nothing, and records it once', () => {
      const server = fakeResourceServer();
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      fakeResource(server.transport, ledger, {
        use: (_, lease) => {
          lease.endedByServer({ deletedEvent: 'seen' });
          lease.endedByServer();
          return EMPTY;
        },
      }).subscribe();
      expect(server.requests).to.deep.equal(['POST /']);
      expect(outcomes).to.have.length(1);
      expect(outcomes[0]).to.deep.include({ outcome: 'EndedByServer', detail: { deletedEvent: 'seen' } });
    });

    it('is ignored after the unsubscription', () => {
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      let tell: () => void = () => undefined;
      fakeResource(fakeResourceServer().transport, ledger, {
        use: (_, lease) => {
          tell = () => lease.endedByServer();
          return NEVER;
        },
      })
        .subscribe()
        .unsubscribe();
      tell();
      expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Released']);
    });
  });

  describe('inside a parent', () => {
    const shared = (ledger: ReleaseLedger, parent: Observable<string>): Observable<undefined> =>
      parent.pipe(
        shareWithGrace(ledger, 0, () => new ReplaySubject(1)),
        map(() => undefined),
      );

    it('is removed before its parent', () => {
      const server = fakeResourceServer();
      const ledger = releaseLedger();
      const parent = shared(ledger, fakeResource(server.transport, ledger));
      const child = fakeResource(server.transport, ledger, { parent$: parent });
      const one = child.subscribe();
      const two = child.subscribe();
      one.unsubscribe();
      expect(server.requests).to.deep.equal(['POST /', 'POST /', 'POST /', 'DELETE /t2']);
      two.unsubscribe();
      expect(server.requests.slice(4)).to.deep.equal(['DELETE /t3', 'DELETE /t1']);
    });

    it('keeps its parent until its release ends; drain awaits both', async () => {
      const server = fakeResourceServer();
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      const slowly = new Subject<ReleaseResult>();
      const parent = shared(ledger, fakeResource(server.transport, ledger));
      fakeResource(server.transport, ledger, { parent$: parent, release: () => slowly })
        .subscribe()
        .unsubscribe();
      const drained = ledger.drain();
      expect(server.requests).to.deep.equal(['POST /', 'POST /']);
      slowly.complete();
      const report = await drained;
      expect(server.requests.slice(2)).to.deep.equal(['DELETE /t1']);
      expect(outcomes.map(({ id }) => id)).to.deep.equal(['t2', 't1']);
      expect(report).to.deep.equal({ clean: true, outcomes });
    });

    for (const how of ['drain', 'close'] as const) {
      it(`ends a parent's grace period when ${how} releases its child`, () => {
        const server = fakeResourceServer([serve(0), serve(0), serve(10, 10), serve(10, 10)]);
        const ledger = releaseLedger();
        inVirtualTime(({ flush }) => {
          const parent = fakeResource(server.transport, ledger).pipe(
            shareWithGrace(ledger, 3_600_000, () => new ReplaySubject(1)),
            map(() => undefined),
          );
          fakeResource(server.transport, ledger, { parent$: parent }).subscribe().unsubscribe();
          void ledger[how]();
          flush();
          expect(asyncScheduler.now()).to.equal(40);
        });
        expect(server.requests.slice(2)).to.deep.equal(['DELETE /t2', 'DELETE /t1']);
        expect(server.ids.size).to.equal(0);
      });
    }

    for (const how of ['drain', 'close'] as const) {
      it(`waits for what is released after a complete callback that calls ${how}`, async () => {
        const server = fakeResourceServer([serve(0), serve(5, 5)]);
        const ledger = releaseLedger();
        let ended: Promise<DrainReport> | undefined;
        inVirtualTime(() =>
          fakeResource(server.transport, ledger)
            .pipe(take(1))
            .subscribe({ complete: () => void (ended = ledger[how]()) }),
        );
        const report = await ended;
        expect(report?.outcomes.map(({ outcome }) => outcome)).to.deep.equal(['Released']);
        expect(report?.clean).to.equal(true);
      });
    }

    it('keeps a parent that is still subscribed during a drain', () => {
      const server = fakeResourceServer();
      const ledger = releaseLedger();
      const parent = fakeResource(server.transport, ledger).pipe(
        shareWithGrace(ledger, 3_600_000, () => new ReplaySubject(1)),
      );
      const inUse = parent.subscribe();
      fakeResource(server.transport, ledger, { parent$: parent.pipe(map(() => undefined)) })
        .subscribe()
        .unsubscribe();
      void ledger.drain();
      expect([...server.ids]).to.deep.equal(['t1']);
      inUse.unsubscribe();
      void ledger.drain();
      expect([...server.ids]).to.deep.equal([]);
    });

    it('records the parent as Failed when close abandons its child', () => {
      const server = fakeResourceServer([
        serve(0),
        serve(0),
        { thereMs: 3_600_000, backMs: 0, how: 'serve' },
      ]);
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      inVirtualTime(() => {
        const parent = shared(ledger, fakeResource(server.transport, ledger));
        fakeResource(server.transport, ledger, { parent$: parent }).subscribe().unsubscribe();
        void ledger.close();
        timer(10_000).subscribe(() => expect(pendingOf(ledger)).to.equal(0));
      });
      expect(outcomes.map((one) => `${one.outcome} ${one.id}`)).to.deep.equal(['Failed t2', 'Failed t1']);
      expect(server.requests).to.deep.equal(['POST /', 'POST /', 'DELETE /t2']);
    });

    it('sends no release after the end of its parent', () => {
      const server = fakeResourceServer();
      const ledger = releaseLedger();
      const outcomes = outcomesOf(ledger);
      const errors: unknown[] = [];
      const parent = new Subject<undefined>();
      fakeResource(server.transport, ledger, { parent$: parent }).subscribe({
        error: (error: unknown) => errors.push(error),
      });
      parent.next(undefined);
      parent.error('parent is gone');
      expect(errors).to.deep.equal(['parent is gone']);
      expect(server.requests).to.deep.equal(['POST /']);
      expect(outcomes.map(({ outcome }) => outcome)).to.deep.equal(['EndedByServer']);
    });

    it('ignores a second emission, and errors if there is no parent', () => {
      const server = fakeResourceServer();
      fakeResource(server.transport, releaseLedger(), { parent$: of(undefined, undefined) }).subscribe();
      expect(server.requests).to.deep.equal(['POST /']);
      const errors: string[] = [];
      fakeResource(server.transport, releaseLedger(), { parent$: EMPTY }).subscribe({
        error: (error: Error) => errors.push(error.name),
      });
      expect(errors).to.deep.equal(['EmptyError']);
    });
  });
});
