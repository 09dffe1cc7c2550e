/**
 * Operators for the events of both protocols: filters, lookups, snapshots, counters and a retry.
 *
 * @module rxchange/operators
 */
export { countNewMail } from './countNewMail.ts';
export { debounceByItem } from './debounceByItem.ts';
export { deleted } from './ofType.ts';
export { distinctPresence } from './distinctPresence.ts';
export { folderEvents } from './itemEvents.ts';
export { fromSender } from './fromSender.ts';
export { inCollection } from './inCollection.ts';
export { inFolder } from './inFolder.ts';
export { itemEvents } from './itemEvents.ts';
export { ofHref } from './ofHref.ts';
export { ofRel } from './ofRel.ts';
export { ofType } from './ofType.ts';
export { retryWithBackoff } from './retryWithBackoff.ts';
export { takeUntilDeleted } from './takeUntilDeleted.ts';
export { toBoard } from './toBoard.ts';
export { withResource } from './withResource.ts';
