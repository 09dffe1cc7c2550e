import type { DrainReport, ReleaseOutcome } from '../../lib/index.ts';
import type { Visitor } from './visitor.ts';

/** The record of a program while it runs. */
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
  /** The time when close() gives up its unfinished releases. Infinity before it is called. */
  givenUpAt: number;
}
