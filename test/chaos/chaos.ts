import { asapScheduler, filter, firstValueFrom, map, merge, type Observable, observeOn, tap } from 'rxjs';
import type { DrainReport } from '../../lib/core/lifecycle/ledger.ts';
import type { ReleaseOutcome } from '../../lib/core/lifecycle/releaseOutcome.ts';
import type { Transport } from '../../lib/core/transport/transport.ts';
import type { EwsDialect } from '../../lib/testing/ews/dialect.ts';
import { ewsSimulator } from '../../lib/testing/ews/simulator.ts';
import { serve } from '../../lib/testing/http/serve.ts';
import { ucwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import { type Random, random } from '../support/random/random.ts';
import type { Run, RunOptions } from './run.ts';
import { ewsRun } from './ewsRun.ts';
import type { Tally } from './follower.ts';
import { chaosProxy, type FaultKind, type Weather } from './proxy.ts';
import { ucwaRun } from './ucwaRun.ts';

/** The protocols of the test. Grommunio has its own dialect of EWS. */
export const PROTOCOLS = ['UCWA', 'EWS', 'grommunio'] as const;

/** See {@link PROTOCOLS}. */
export type Protocol = (typeof PROTOCOLS)[number];

/** The load, and the duration. */
export interface ChaosOptions {
  readonly protocol: Protocol;
  readonly subscriptions: number;
  readonly seed: number;
  readonly weather: Weather;
  /** Returns whether the test is over after this many faults. */
  readonly isOver: (faults: number) => boolean;
  /** Emits when the next step is due. @default after each request */
  readonly pulse$?: Observable<unknown>;
}

/** The result of a test. */
export interface ChaosReport {
  readonly protocol: Protocol;
  readonly steps: number;
  readonly requests: number;
  readonly injected: ReadonlyMap<FaultKind, number>;
  readonly tally: Tally;
  readonly errors: ReadonlyMap<string, number>;
  /** The number of subscriptions by outcome. */
  readonly outcomes: ReadonlyMap<ReleaseOutcome['outcome'], number>;
  /** The subscriptions on the server after the end, without those that the ledger reports as unknown. */
  readonly leaks: readonly string[];
}

interface Simulated {
  readonly transport: Transport;
  readonly requests: () => number;
  readonly begin: (chance: Random, options: RunOptions) => Run;
}

function simulatedEws(dialect: EwsDialect): Simulated {
  const server = ewsSimulator({ dialect, heartbeatSeconds: 1 });
  const requests = (): number => server.requests.length;
  return {
    transport: server.transport,
    requests,
    begin: (chance, options) => ewsRun(server, chance, options),
  };
}

const SIMULATED: Readonly<Record<Protocol, () => Simulated>> = {
  UCWA: () => {
    const server = ucwaSimulator({ mediumSeconds: 0.01, timeoutSeconds: 180 });
    const requests = (): number => server.requests.length;
    return {
      transport: server.transport,
      requests,
      begin: (chance, options) => ucwaRun(server, chance, options),
    };
  },
  EWS: () => simulatedEws('exchange'),
  grommunio: () => simulatedEws('grommunio'),
};

/**
 * Runs a protocol over real sockets and a faulty network until `isOver`, then stops the faults, waits until
 * everything has recovered, closes, and counts. Never resolves if something does not recover.
 *
 * @param waiting Called with the remaining disagreements.
 */
export async function chaos(
  options: ChaosOptions,
  waiting: (disagreements: readonly string[]) => void = () => undefined,
): Promise<ChaosReport> {
  const { protocol, subscriptions, seed, weather, isOver } = options;
  const { transport, requests, begin } = SIMULATED[protocol]();
  // Hrefs name the port of the proxy, not the server's.
  const served = await serve(transport, { allowedHosts: ['127.0.0.1'] });
  const proxy = await chaosProxy(served.port, random(seed), weather);
  const run = begin(random(seed, 1), { origin: proxy.origin, subscriptions });
  const outcomes = new Map<ReleaseOutcome['outcome'], number>();
  let steps = 0;

  const changed$ = merge(run.changed$, options.pulse$ ?? []).pipe(observeOn(asapScheduler));
  await firstValueFrom(
    (options.pulse$ ?? run.requested$).pipe(
      observeOn(asapScheduler),
      tap(() => {
        run.step();
        steps += 1;
      }),
      filter(() => isOver([...proxy.injected.values()].reduce((sum, count) => sum + count))),
    ),
  );
  proxy.calm();
  run.finish();
  await firstValueFrom(
    changed$.pipe(
      map(() => run.disagreements()),
      tap((disagreements) => waiting(disagreements)),
      filter(({ length }) => length === 0),
    ),
  );
  const report = await run.close();
  for (const { outcome } of report.outcomes) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const leaks = leaksIn(run.leftovers(), report);
  await served.close();
  await proxy.close();
  const { tally, errors } = run;
  return {
    protocol,
    steps,
    requests: requests(),
    injected: proxy.injected,
    tally,
    errors,
    outcomes,
    leaks,
  };
}

/** Returns the leaks: each outcome that is unknown may leave one subscription on the server. */
export function leaksIn(leftovers: readonly string[], { outcomes }: DrainReport): readonly string[] {
  const known = new Set(outcomes.flatMap(({ id }) => id ?? []));
  const unknown = outcomes.filter(({ outcome }) => outcome === 'Unknown').length;
  const removed = leftovers.filter((one) => known.has(one.slice(one.indexOf(' ') + 1)));
  return removed.length > 0 ? removed : leftovers.slice(unknown);
}
