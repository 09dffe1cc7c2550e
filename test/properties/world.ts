import type { Observable } from 'rxjs';
import type { DrainOptions, DrainReport, Releases } from '../../lib/index.ts';
import type { Failure, Target, Upheaval, Visit } from './program.ts';
import type { Recorded } from './visitor.ts';
import type { Gist, Wire } from './wire.ts';

/** What the server holds: one subscription. */
export interface Held {
  /** As the ledger calls it. */
  readonly id: string;
  /** What it watches, as {@link World.placeOf} calls it. */
  readonly place: string;
}

/** When a program is at which point, in virtual milliseconds behind its last step. */
export interface Timetable {
  /** Nothing goes wrong any more. */
  readonly calmMs: number;
  /** One last thing happens. */
  readonly lastEventMs: number;
  /** All is well again, and who is alive was told. */
  readonly quietMs: number;
  /** After all have left: nothing is left. */
  readonly settledMs: number;
}

/** A simulated server, and a connection to it through the public API. */
export interface World {
  readonly wire: Wire;
  readonly releases: Releases;
  readonly timetable: Timetable;
  /** The origin that requests may go to. */
  readonly origin: string;
  /** Texts that no error may show. */
  readonly secrets: readonly string[];
  /** How often a source of this world was subscribed to for itself, by place. */
  readonly openings: ReadonlyMap<string, number>;
  /** What must not be, of what this protocol knows; asked at the end. */
  readonly breaches: () => readonly string[];
  /** Whether each subscription has an id that no other ever has. */
  readonly hasIds: boolean;
  /** Whether nobody is told of a loss as long as nothing goes wrong. */
  readonly isGapless: boolean;
  /** How many requests for events may be open at once. */
  readonly mostChannels: number;
  placeOf(visit: Visit): string | undefined;
  source(visit: Visit): Observable<unknown>;
  read(visit: Visit, value: unknown): Recorded;
  /** Whether this visitor is told of every event. */
  isTold(visit: Visit): boolean;
  /** Something happens at every place; the number of it. */
  happen(): number;
  upheave(how: Upheaval['how']): void;
  fail(failure: Failure): void;
  matches(on: Target, gist: Gist): boolean;
  /** Nothing that was prepared goes wrong any more. */
  calm(): void;
  /** The subscriptions that the server holds. */
  held(): readonly Held[];
  /** What else it has open, or holds: empty when nobody is there. */
  leftovers(): readonly string[];
  drain(options?: DrainOptions): Promise<DrainReport>;
  close(options?: DrainOptions): Promise<DrainReport>;
}
