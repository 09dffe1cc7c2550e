import type { DrainReport, ReleaseOutcome } from '../../lib/index.ts';
import type { Visitor } from './visitor.ts';

/** What is noted while a program is played. */
export interface Notes {
  readonly outcomes: ReleaseOutcome[];
  readonly visitors: Visitor[];
  /** The place of each subscription that the server ever held, by its id. */
  readonly everHeld: Map<string, string>;
  readonly breaches: string[];
  readonly trace: string[];
  readonly drains: { readonly report: Promise<DrainReport>; answer?: DrainReport }[];
  readonly uncaught: unknown[];
  /** How many releases are under way. */
  pending: number;
  /** The number of the last event. */
  last: number;
  /** When that was. */
  lastAt: number;
  upheavals: number;
  isClosed: boolean;
  /** When close() gives up what is not released by then: Infinity before it is called. */
  givenUpAt: number;
}
