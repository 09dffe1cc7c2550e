/**
 * Operators that pick from the events of a server, and one that subscribes again: generic over the events of
 * both protocols.
 *
 * @module
 */
export { added } from './added.ts';
export { completed } from './completed.ts';
export { deleted } from './deleted.ts';
export type {
  ContainedEvent,
  EventLink,
  LinkedEvent,
  OfType,
  SentEvent,
  TypedEvent,
  WithRel,
} from './event.ts';
export { fromSender } from './fromSender.ts';
export { inRel } from './inRel.ts';
export { ofHref } from './ofHref.ts';
export { ofRel } from './ofRel.ts';
export { ofType } from './ofType.ts';
export { retryWithBackoff, type RetryWithBackoffOptions } from './retryWithBackoff.ts';
export { started } from './started.ts';
export { updated } from './updated.ts';
