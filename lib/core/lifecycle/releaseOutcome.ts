import { asyncScheduler } from 'rxjs';
import { defined } from '../defined.ts';
import { excerpt } from '../text.ts';

/** The common part of all outcomes. @inline */
export interface ReleaseEntry {
  /** The protocol's name of the resource, such as `presenceSubscription`. */
  readonly resource: string;
  /**
   * The server's id or href of the resource: its first 300 characters, with U+FFFD for unprintable ones.
   * Undefined if the response to the creation was lost.
   */
  readonly id: string | undefined;
  /** When the outcome was known. */
  readonly at: Date;
  /** Protocol-specific details, such as `{ deletedEvent: 'seen' }`. */
  readonly detail?: Readonly<Record<string, string | number | boolean>>;
}

/**
 * How a resource on the server ended.
 *
 * - `Released`: the server confirmed the removal.
 * - `AlreadyGone`: the server no longer had the resource.
 * - `EndedByServer`: the server reported that it ended the resource; no request was sent.
 * - `Expired`: the server could not be reached until the resource expired; `cause` is the last error.
 * - `Unknown`: the response to the creation was lost, so the server may have a resource whose id is not
 *   known. `cause` says why, and `hint` what happens to the resource and what can be done.
 * - `Failed`: the server did not remove the resource, and retrying would not help, or the time was up.
 */
export type ReleaseOutcome = ReleaseEntry &
  (
    | { readonly outcome: 'Released' | 'AlreadyGone'; readonly attempts: number }
    | { readonly outcome: 'EndedByServer' }
    | { readonly outcome: 'Expired' | 'Failed'; readonly attempts: number; readonly cause: unknown }
    | { readonly outcome: 'Unknown'; readonly id: undefined; readonly cause: unknown; readonly hint: string }
  );

/** How many characters of an id the ledger has: servers may send ids of any length. */
const LONGEST_ID = 300;

/** Returns whether the server keeps nothing after this outcome, as far as is known. */
export function isClean({ outcome }: ReleaseOutcome): boolean {
  return outcome !== 'Unknown' && outcome !== 'Failed';
}

/** Returns the part of an id that the ledger shows. */
export function shownId<Id extends string | undefined>(id: Id): Id {
  return (id === undefined ? id : excerpt(id, LONGEST_ID)) as Id;
}

/** Returns the common part of an outcome, with the current time of the scheduler's clock. */
export function releaseEntry<Id extends string | undefined>(
  resource: string,
  id: Id,
  detail?: ReleaseEntry['detail'],
): ReleaseEntry & { readonly id: Id } {
  const at = new Date(asyncScheduler.now());
  return { resource, id: shownId(id), at, ...defined({ detail }) };
}
