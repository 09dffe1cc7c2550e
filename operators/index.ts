/**
 * Operators over the events of a server: they pick, fetch, gather and count, and one subscribes again. They
 * are generic over the events of both protocols.
 *
 * @module
 */
export { added } from './added.ts';
export { completed } from './completed.ts';
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
export { inRel } from './inRel.ts';
export { itemEvents } from './itemEvents.ts';
export { newMailCount, type NewMailCount } from './newMailCount.ts';
export { ofHref } from './ofHref.ts';
export { ofRel } from './ofRel.ts';
export { ofType } from './ofType.ts';
export { retryWithBackoff, type RetryWithBackoffOptions } from './retryWithBackoff.ts';
export { settle, type SettleOptions } from './settle.ts';
export { started } from './started.ts';
export { toBoard, type ToBoardOptions } from './toBoard.ts';
export { untilDeleted } from './untilDeleted.ts';
export { updated } from './updated.ts';
export {
  type EmbeddedIn,
  type ResourceServer,
  withResource,
  type WithResource,
  type WithResourceOptions,
} from './withResource.ts';
