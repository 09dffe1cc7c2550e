import type { Notes } from './notes.ts';
import type { Visitor } from './visitor.ts';
import type { World } from './world.ts';

/** What came of a program. */
export interface Report {
  /** What broke a law: a line each, empty where all was as it is to be. */
  readonly breaches: readonly string[];
  readonly figures: Figures;
  /** What went over the wire and what was told, in order: the same for the same program. */
  readonly trace: readonly string[];
  /** How each visitor fared: that it goes on, or what it ended with. */
  readonly fates: readonly string[];
  /** What stands in the ledger, in short and in order. */
  readonly outcomes: readonly string[];
}

/** What is counted. */
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

/** Where several things happened at once, requests come first. */
const byTime = (one: string, other: string): number => Number.parseFloat(one) - Number.parseFloat(other);

/** Sums up what came of a program. */
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
