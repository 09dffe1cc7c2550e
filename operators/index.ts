/**
 * Operators for the events of both protocols: filters, lookups, snapshots, counters and a retry.
 *
 * @module
 */
export { deleted } from './deleted.ts';
export { distinctPresence, type DistinctPresenceOptions, type PresenceState } from './distinctPresence.ts';
export type {
  ContainedEvent,
  EventId,
  EventLink,
  FetchableEvent,
  LinkedEvent,
  MailboxEvent,
  OfType,
  SentEvent,
  TypedEvent,
  WithId,
  WithRel,
} from './internal/event.ts';
export { folderEvents } from './folderEvents.ts';
export { fromSender } from './fromSender.ts';
export { inFolder } from './inFolder.ts';
export { inCollection } from './inCollection.ts';
export { itemEvents } from './itemEvents.ts';
export { countNewMail, type NewMailCount } from './countNewMail.ts';
export { ofHref } from './ofHref.ts';
export { ofRel } from './ofRel.ts';
export { ofType } from './ofType.ts';
export { retryWithBackoff, type RetryWithBackoffOptions } from './retryWithBackoff.ts';
export { debounceByItem, type DebounceByItemOptions as SettleOptions } from './debounceByItem.ts';
export { toBoard, type ToBoardOptions } from './toBoard.ts';
export { takeUntilDeleted } from './takeUntilDeleted.ts';
export {
  type EmbeddedIn,
  withResource,
  type WithResource,
  type WithResourceOptions,
} from './withResource.ts';
