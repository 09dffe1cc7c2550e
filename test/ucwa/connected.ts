import { type Observable, Subscription } from 'rxjs';
import type { ReleaseOutcome } from '../../lib/core/lifecycle/releaseOutcome.ts';
import { ucwaSimulator, type UcwaSimulator } from '../../lib/testing/ucwa/simulator.ts';
import type { UcwaSimulatorOptions } from '../../lib/testing/ucwa/options.ts';
import { connectUcwa } from '../../lib/ucwa/connect.ts';
import { type Ucwa } from '../../lib/ucwa/session/session.ts';
import type { UcwaOptions } from '../../lib/ucwa/options.ts';
import type { UcwaEvent } from '../../lib/ucwa/protocol/events.ts';
import { bearer } from '../../lib/core/auth/auth.ts';
import { type Batching, batching } from '../../lib/ucwa/batch/batched.ts';

/** A simulated server, a connection to it, and the outcomes of its releases. */
export interface Connected {
  readonly server: UcwaSimulator;
  readonly ucwa: Ucwa;
  readonly outcomes: readonly ReleaseOutcome[];
  /** The requests so far, in short: method, path below the application, status. */
  readonly sent: () => string[];
  /** The outcomes so far, in short. */
  readonly outcomeLines: () => string[];
}

const ROOT = '/ucwa/oauth/v1/applications';

/** Options of a connection: requests are sent in batches, unless `batch` is false. */
export type ConnectedOptions = Partial<Omit<UcwaOptions, 'batch'>> & { readonly batch?: Batching | false };

/** Connects to a simulated server that delays no event by default. */
export function connected(
  simulated: UcwaSimulatorOptions = {},
  { batch = batching(), ...options }: ConnectedOptions = {},
): Connected {
  const server = ucwaSimulator({ mediumSeconds: 0, ...simulated });
  const ucwa = connectUcwa({
    server: server.url,
    auth: bearer('token'),
    transport: server.transport,
    ...(batch === false ? {} : { batch }),
    retry: { random: () => 0.5 },
    ...options,
  });
  const outcomes: ReleaseOutcome[] = [];
  ucwa.releases.outcomes$.subscribe((outcome) => outcomes.push(outcome));
  return {
    server,
    ucwa,
    outcomes,
    sent: () =>
      server.requests.map(({ method, path, status }) => `${method} ${shortened(path)} ${status ?? '-'}`),
    outcomeLines: () =>
      outcomes.map(({ resource, outcome, detail }) =>
        [resource, outcome, detail?.['deletedEvent']].filter((word) => word !== undefined).join(' '),
      ),
  };
}

function shortened(path: string): string {
  if (path === ROOT) return 'applications';
  return path
    .replace(`${ROOT}/`, '')
    .replace('people/', '')
    .replace('presenceSubscriptions', 'subscriptions');
}

/** The values of a stream, in short, and how it ended. */
export interface Recording {
  readonly values: readonly string[];
  readonly error: unknown;
  readonly isComplete: boolean;
  readonly subscription: Subscription;
}

/** Subscribes, and records the values. `onEvent` is called after each event. */
export function record(
  events$: Observable<UcwaEvent>,
  onEvent: (event: UcwaEvent) => void = () => undefined,
): Recording {
  const kept = {
    values: [] as string[],
    error: undefined as unknown,
    isComplete: false,
    subscription: new Subscription(),
  };
  kept.subscription.add(
    events$.subscribe({
      next: (event) => {
        kept.values.push(`${event.type} ${event.link.rel}`);
        onEvent(event);
      },
      error: (error: unknown) => (kept.error = error),
      complete: () => (kept.isComplete = true),
    }),
  );
  return kept;
}
