import type { Notes } from './notes.ts';
import type { Visitor } from './visitor.ts';
import type { World } from './world.ts';

/** The results of a program. */
export interface Report {
  /** The breaches of laws, one per line. Empty if there are none. */
  readonly breaches: readonly string[];
  readonly figures: Figures;
  /** The requests and outcomes in order, which are the same for the same program. */
  readonly trace: readonly string[];
  /** The state of each visitor: still subscribed, or how it ended. */
  readonly fates: readonly string[];
  /** The outcomes of the ledger, abbreviated and in order. */
  readonly outcomes: readonly string[];
}

/** The counts of a program. */
export interface Figures {
  readonly events: number;
  readonly faults: number;
  readonly subscriptions: number;
  readonly leaks: number;
  readonly losses: number;
  readonly doubles: number;
  readonly uncaught: number;
}

const starting = (breaches: readonly string[], word: string): number =>
  breaches.filter((breach) => breach.startsWith(word)).length;

/** Requests come before other entries of the same time. */
const byTime = (one: string, other: string): number => Number.parseFloat(one) - Number.parseFloat(other);

/** Returns the report of a program. */
export function reportOf(world: World | undefined, notes: Notes): Report {
  const { breaches, visitors, everHeld } = notes;
  const sum = (of: (one: Visitor) => number): number => visitors.reduce((all, one) => all + of(one), 0);
  const requests = world?.wire.requests ?? [];
  return {
    breaches,
    figures: {
      events: sum(({ tally }) => tally.events),
      faults: (world?.wire.faults ?? 0) + notes.upheavals,
      subscriptions: everHeld.size,
      leaks: starting(breaches, 'leak'),
      losses: starting(breaches, 'loss'),
      doubles: starting(breaches, 'double'),
      uncaught: starting(breaches, 'uncaught'),
    },
    trace: [
      ...requests.map(({ at, name, status, end }) => `${at}: ${name} ${status ?? end}`),
      ...notes.trace,
    ].sort(byTime),
    outcomes: notes.outcomes.map(({ resource, outcome }) => `${resource} ${outcome}`),
    fates: visitors.map(({ name, errors, end }) => {
      const error = errors.at(-1);
      return `${name}: ${end ?? 'goes on'}${error === undefined ? '' : ` with ${wordsFor(error)}`}`;
    }),
  };
}

function wordsFor(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { status, code } = error as { readonly status?: number; readonly code?: string };
  return [error.name, status, code].filter((word) => word !== undefined).join(' ');
}
