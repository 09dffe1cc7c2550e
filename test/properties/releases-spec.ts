import { expect } from 'chai';
import fc from 'fast-check';
import { concat, NEVER, type Observable, of, switchMap, take, timer } from 'rxjs';
import { releaseLedger } from '../../lib/core/lifecycle/ledger.ts';
import { type ReleaseOutcome } from '../../lib/core/lifecycle/releaseOutcome.ts';
import { shareWithGrace } from '../../lib/core/lifecycle/closing.ts';
import { caseCount } from '../support/random/caseCount.ts';
import { inVirtualTime } from '../support/virtualTime.ts';
import { fakeResource } from '../support/resource/fakeResource.ts';
import { type Fate, fakeResourceServer } from '../support/resource/fakeResourceServer.ts';

/** The life of one subscriber, in virtual milliseconds. */
interface Visit {
  readonly comesAt: number;
  readonly staysMs: number;
  readonly shared: boolean;
  readonly leaves: 'unsubscribe' | 'take' | 'switchMap' | 'never';
}

const fate: fc.Arbitrary<Fate> = fc.record({
  thereMs: fc.nat(8),
  backMs: fc.nat(8),
  how: fc.constantFrom('serve', 'serve', 'serve', 'refuse', 'resetBefore', 'resetAfter', 'forbid'),
});

const visit: fc.Arbitrary<Visit> = fc.record({
  comesAt: fc.nat(60),
  staysMs: fc.nat(40),
  shared: fc.boolean(),
  leaves: fc.constantFrom('unsubscribe', 'unsubscribe', 'take', 'switchMap', 'never'),
});

const close = (things: Observable<string>, { staysMs, leaves }: Visit): void => {
  if (leaves === 'take') things.pipe(take(1)).subscribe({ error: () => undefined });
  else if (leaves === 'switchMap') {
    timer(0, Math.max(1, staysMs))
      .pipe(
        take(2),
        switchMap((turn) => (turn === 0 ? things : [])),
      )
      .subscribe({ error: () => undefined });
  } else {
    const subscription = things.subscribe({ error: () => undefined });
    if (leaves === 'unsubscribe') timer(staysMs).subscribe(() => subscription.unsubscribe());
  }
};

/** Returns the values of a subscriber, which counts as alive from its subscribe to its outcome. */
const tracked = (alive: Set<string>, id: string): Observable<string> => {
  alive.add(id);
  return concat(of(id), NEVER);
};

describe('Remote resources, over random interleavings,', () => {
  it('leave only live resources and reported leftovers on the server', () => {
    fc.assert(
      fc.property(
        fc.array(visit, { minLength: 1, maxLength: 6 }),
        fc.array(fate, { maxLength: 12 }),
        fc.nat(20),
        (visits, fates, graceMs) => {
          const server = fakeResourceServer(fates);
          const ledger = releaseLedger();
          const outcomes: ReleaseOutcome[] = [];
          const alive = new Set<string>();
          let pending = 0;
          inVirtualTime(() => {
            ledger.outcomes$.subscribe((outcome) => {
              outcomes.push(outcome);
              if (outcome.id !== undefined) alive.delete(outcome.id);
            });
            ledger.pending$.subscribe((count) => (pending = count));
            const own = fakeResource(server.transport, ledger, { use: (id) => tracked(alive, id) });
            const shared = own.pipe(shareWithGrace(ledger, graceMs));
            for (const one of visits)
              timer(one.comesAt).subscribe(() => close(one.shared ? shared : own, one));
          });

          const recorded = (name: ReleaseOutcome['outcome']): ReleaseOutcome[] =>
            outcomes.filter(({ outcome }) => outcome === name);
          const failed = new Set(recorded('Failed').map(({ id }) => id));
          const orphans = [...server.ids].filter((id) => !alive.has(id) && !failed.has(id));
          expect(pending, 'nothing is under way').to.equal(0);
          expect(
            [...alive].every((id) => server.ids.has(id)),
            'what is alive is there',
          ).to.equal(true);
          expect(orphans, 'orphans are reported').to.have.length(server.lostResponses);
          expect(recorded('Unknown').length, 'lost responses are reported').to.be.at.least(
            server.lostResponses,
          );
          const ids = outcomes.flatMap(({ id }) => id ?? []);
          expect(new Set(ids).size, 'one outcome each').to.equal(ids.length);
          expect(new Set(server.removed).size, 'removed once').to.equal(server.removed.length);
        },
      ),
      { numRuns: caseCount(300, 2000) },
    );
  });
});
