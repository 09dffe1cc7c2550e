import type { Observable } from 'rxjs';
import type { DrainReport } from '../../lib/core/lifecycle/ledger.ts';
import type { Tally } from './follower.ts';

/** A run of one protocol: an application whose subscribers come and go, and its server. */
export interface Run {
  /** Emits when anything happens that may change the disagreements. */
  readonly changed$: Observable<unknown>;
  /** Emits when a request has ended. */
  readonly requested$: Observable<unknown>;
  readonly tally: Tally;
  /** The errors of subscribers: the number by name. */
  readonly errors: ReadonlyMap<string, number>;
  /** Makes one thing happen in the application and on the server. */
  step(): void;
  /** Makes the last event happen, which every subscriber must get. */
  finish(): void;
  /** Returns the differences between the application and the server. Empty after the recovery. */
  disagreements(): readonly string[];
  /** Unsubscribes from everything, and closes the connection. */
  close(): Promise<DrainReport>;
  /** The resources on the server. */
  leftovers(): readonly string[];
}

/** The origin of the server, and the number of subscriptions. */
export interface RunOptions {
  readonly origin: string;
  readonly subscriptions: number;
}
