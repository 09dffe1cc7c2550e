import type { Observable } from 'rxjs';
import type { DrainReport, Releases } from '../../lib/index.ts';
import type { DrainOptions } from '../../lib/core/lifecycle/ledger.ts';
import type { Failure, Target, Upheaval, Visit } from './program.ts';
import type { Recorded } from './visitor.ts';
import type { RequestSummary, Wire } from './wire.ts';

/** A subscription on the server. */
export interface HeldSubscription {
  /** The id in the ledger. */
  readonly id: string;
  /** The target, as {@link World.placeOf} names it. */
  readonly place: string;
}

/** The times of the checks, in virtual milliseconds after the last step. */
export interface Timetable {
  /** Failures end. */
  readonly calmMs: number;
  /** The last event happens. */
  readonly lastEventMs: number;
  /** All streams have recovered, and live visitors have the last event. */
  readonly quietMs: number;
  /** All visitors have unsubscribed, and nothing is left. */
  readonly settledMs: number;
}

/** A simulated server, and a connection to it through the public API. */
export interface World {
  readonly wire: Wire;
  readonly releases: Releases;
  readonly timetable: Timetable;
  /** The only origin that requests may go to. */
  readonly origin: string;
  /** The secrets that no error may show. */
  readonly secrets: readonly string[];
  /** How often a source of this world had a subscription of its own, by target. */
  readonly openings: ReadonlyMap<string, number>;
  /** Returns the breaches of laws that only this protocol has. Called at the end. */
  readonly breaches: () => readonly string[];
  /** Whether subscription ids are never reused. */
  readonly hasIds: boolean;
  /** Whether no gap is emitted as long as nothing fails. */
  readonly isGapless: boolean;
  /** The highest number of requests for events that may be open at once. */
  readonly mostChannels: number;
  placeOf(visit: Visit): string | undefined;
  source(visit: Visit): Observable<unknown>;
  read(visit: Visit, value: unknown): Recorded;
  /** Whether this visitor gets every event. */
  getsEveryEvent(visit: Visit): boolean;
  /** Makes an event happen at every target, and returns its number. */
  happen(): number;
  upheave(how: Upheaval['how']): void;
  fail(failure: Failure): void;
  matches(on: Target, summary: RequestSummary): boolean;
  /** Removes all prepared failures. */
  calm(): void;
  /** Returns the subscriptions on the server. */
  held(): readonly HeldSubscription[];
  /** Returns the other leftovers. Empty after all visitors have unsubscribed. */
  leftovers(): readonly string[];
  drain(options?: DrainOptions): Promise<DrainReport>;
  close(options?: DrainOptions): Promise<DrainReport>;
}
