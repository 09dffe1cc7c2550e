/**
 * Operators for the events of both protocols: filters, lookups, snapshots, counters and a retry.
 *
 * @module rxchange/operators
 */
export { countNewMail } from './countNewMail.ts';
export { debounceByItem } from './debounceByItem.ts';
export { deleted, ofType } from './ofType.ts';
export { distinctPresence } from './distinctPresence.ts';
export { folderEvents, itemEvents } from './itemEvents.ts';
export { fromSender } from './fromSender.ts';
export { inCollection } from './inCollection.ts';
export { inFolder } from './inFolder.ts';
export { ofHref } from './ofHref.ts';
export { ofRel } from './ofRel.ts';
export { retryWithBackoff } from './retryWithBackoff.ts';
export { takeUntilDeleted } from './takeUntilDeleted.ts';
export { toBoard } from './toBoard.ts';
export { withResource } from './withResource.ts';
