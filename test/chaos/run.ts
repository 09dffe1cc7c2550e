import type { Observable } from 'rxjs';
import type { DrainReport } from '../../lib/core/lifecycle/ledger.ts';
import type { Tally } from './follower.ts';

/** One protocol on its way through the faults: an application that comes and goes, and its server. */
export interface Run {
  /** Emits when anything happens: something that waits may be true now. */
  readonly changed$: Observable<unknown>;
  /** Emits when a request is over. */
  readonly requested$: Observable<unknown>;
  readonly tally: Tally;
  /** The errors that subscribers were told, by name and how often. */
  readonly errors: ReadonlyMap<string, number>;
  /** Lets something happen, here and on the server. */
  step(): void;
  /** Lets one last thing happen, of which everybody has to be told. */
  finish(): void;
  /** What is not as it should be when nothing goes wrong any more: empty once all is well. */
  disagreements(): readonly string[];
  /** Leaves what it has subscribed to, and closes the connection. */
  close(): Promise<DrainReport>;
  /** What the server still holds. */
  leftovers(): readonly string[];
}

/** Where the server of a run is reached, and how much is to go on there. */
export interface RunOptions {
  readonly origin: string;
  readonly subscriptions: number;
}
