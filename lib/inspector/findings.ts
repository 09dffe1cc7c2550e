import { asyncScheduler, Observable, share, type Subscriber, tap } from 'rxjs';
import { defined } from '../core/defined.ts';
import type { ReleaseLedger } from '../core/lifecycle/ledger.ts';
import type { ReleaseOutcome } from '../core/lifecycle/releaseOutcome.ts';
import { shownId } from '../core/lifecycle/releaseOutcome.ts';
import { describeEvent, describeOptions } from './describe.ts';
import { inspectedError, plain } from './plain.ts';
import type { InspectorRecord, StreamRecord } from './records.ts';
import { type ReleaseCause, releaseCauses } from './releaseCauses.ts';

type Unnumbered<Record> = Record extends { readonly stream: string }
  ? Omit<Record, 'connection' | 'seq' | 'stream'> & { readonly stream: number }
  : Record extends { readonly stream?: string }
    ? Omit<Record, 'connection' | 'seq' | 'stream'> & { readonly stream?: number }
    : Record extends unknown
      ? Omit<Record, 'connection' | 'seq'>
      : never;

/** A record before it is numbered: streams have the number that all inspectors of a connection share. */
export type Finding = Unnumbered<InspectorRecord>;

/** A record about one stream, without its time and its number. */
type StreamFinding = Omit<StreamRecord, 'at' | 'connection' | 'seq' | 'stream' | 'type'> & {
  readonly type: 'stream';
};

/** Returns the findings of a connection. All inspectors share them, so that a stream has one number. */
export function findings(ledger: ReleaseLedger): Observable<Finding> {
  return new Observable<Finding>((subscriber) => observe(ledger, subscriber)).pipe(share());
}

function observe(ledger: ReleaseLedger, subscriber: Subscriber<Finding>): void {
  const causes = releaseCauses();
  /** The streams that are subscribed to, by number. */
  const bases = new Map<number, Pick<StreamFinding, 'type' | 'name' | 'detail'>>();
  let streams = 0;
  let subscribing: number | undefined;

  const report = (stream: number, finding: StreamFinding): void =>
    subscriber.next({ at: asyncScheduler.now(), stream, ...finding });

  const watched = <Value>(source: Observable<Value>, name: string, options: unknown): Observable<Value> =>
    new Observable((target) => {
      const stream = ++streams;
      const base = { type: 'stream', name, detail: describeOptions(options) } as const;
      let ended: StreamFinding | undefined;
      bases.set(stream, base);
      report(stream, { ...base, state: 'subscribed' });
      // Before and after the teardown of the source: what it releases meanwhile is of this stream.
      target.add(() => {
        bases.delete(stream);
        report(stream, ended ?? { ...base, state: ledger.isClosed ? 'completed' : 'unsubscribed' });
        causes.enter(stream);
      });
      const outer = subscribing;
      subscribing = stream;
      source
        .pipe(
          tap({
            next: (value) => {
              const at = asyncScheduler.now();
              subscriber.next({ type: 'event', at, stream, ...describeEvent(value), value: plain(value) });
            },
            error: (error: unknown) => (ended = { ...base, state: 'failed', error: inspectedError(error) }),
            complete: () => (ended = { ...base, state: 'completed' }),
          }),
        )
        .subscribe(target);
      subscribing = outer;
      target.add(() => causes.leave());
    });

  for (const [target, name] of ledger.streams) {
    const stream = ++streams;
    const base = { type: 'stream', name, detail: '' } as const;
    report(stream, { ...base, state: 'subscribed' });
    target.add(() => report(stream, { ...base, state: 'unsubscribed' }));
  }
  subscriber.add(
    ledger.outcomes$.subscribe((outcome) =>
      subscriber.next(outcomeFinding(outcome, causes.settled(outcome.resource, outcome.id))),
    ),
  );
  ledger.inspection = {
    stream: watched,
    get subscribing() {
      return subscribing;
    },
    created: (stream, id) => {
      const base = stream === undefined ? undefined : bases.get(stream);
      if (stream === undefined || base === undefined) return;
      // As in the ledger, so that the release has the same id.
      const shown = shownId(id);
      causes.created(stream, shown);
      report(stream, { ...base, state: 'created', id: shown });
    },
    begun: ({ resource, id }) => {
      const cause = causes.begun(resource, id);
      const at = asyncScheduler.now();
      subscriber.next({ type: 'release', at, ...cause, resource, ...defined({ id }), state: 'pending' });
    },
  };
  subscriber.add(() => (ledger.inspection = undefined));
}

function outcomeFinding(outcome: ReleaseOutcome, cause: ReleaseCause): Finding {
  const { resource, id, at, outcome: state, detail } = outcome;
  return {
    ...{ type: 'release', at: at.getTime(), ...cause, resource, state },
    ...defined({ id, detail }),
    ...('attempts' in outcome ? { attempts: outcome.attempts } : {}),
    ...('cause' in outcome ? { error: inspectedError(outcome.cause) } : {}),
    ...('hint' in outcome ? { hint: outcome.hint } : {}),
  };
}
