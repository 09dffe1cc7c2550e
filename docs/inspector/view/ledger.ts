import type { ReleaseRecord } from '../../../lib/inspector/records.ts';

/** How many releases the ledger shows; pending ones are never dropped before others. */
const MOST_ENTRIES = 100;

/** A release: when it began, and its last record. */
export interface LedgerEntry {
  readonly key: string;
  readonly pendingAt: number;
  readonly record: ReleaseRecord;
}

/** Returns the ledger after a record: the outcome replaces `pending`. */
export function ledgerAfter(before: readonly LedgerEntry[], record: ReleaseRecord): readonly LedgerEntry[] {
  const key = `${record.connection} ${record.release}`;
  const known = before.find((one) => one.key === key);
  if (known !== undefined) return before.map((one) => (one === known ? { ...one, record } : one));
  const after = [...before, { key, pendingAt: record.at, record }];
  if (after.length <= MOST_ENTRIES) return after;
  const oldest = after.findIndex((one) => one.record.state !== 'pending');
  return after.filter((_, index) => index !== Math.max(oldest, 0));
}

/** Returns whether a release has ended as it should. */
export function isGood(state: ReleaseRecord['state']): boolean {
  return state === 'Released' || state === 'AlreadyGone' || state === 'EndedByServer' || state === 'Expired';
}
