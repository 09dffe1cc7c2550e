/**
 * Exchange Web Services: notification subscriptions as Observables.
 *
 * @module
 */
export type { Folder, Impersonation } from './protocol/envelope.ts';
export {
  type AutodiscoverAttempt,
  AutodiscoverError,
  type AutodiscoverKind,
  ConnectionsFullError,
  EwsError,
  type OperationIdentity,
  SoapFault,
} from './protocol/errors.ts';
export { affinity, type Affinity } from './discovery/affinity.ts';
export { autodiscovered, type AutodiscoveredOptions } from './discovery/autodiscover.ts';
export type { Autodiscovered } from './discovery/location.ts';
export { basic, type BasicCredentials } from './auth/basic.ts';
export type { Checkpoint } from '../core/checkpoint/checkpoint.ts';
export { streamingNotifications } from './streaming/streaming.ts';
export type { StreamingLimits } from './session/streamingLimits.ts';
export type { StreamingOptions } from './streaming/options.ts';
export type { WatchedFolders } from './protocol/folders.ts';
export type { NotificationOptions, ResumableOptions } from './subscription/options.ts';
export { pullNotifications } from './pull/pull.ts';
export type { PullOptions } from './pull/options.ts';
export type { PushRequest, PushResponse } from './push/pushRequest.ts';
export type { NodeRequestLike } from './push/body.ts';
export { pushNotifications } from './push/push.ts';
export {
  type NodeResponseLike,
  pushListener,
  type PushListener,
  type PushListenerOptions,
  type RefusedPost,
} from './push/listener.ts';
export type { PushOptions } from './push/options.ts';
export type { ExchangeOptions } from './options.ts';
export type { ExchangeVersion } from './protocol/version.ts';
export { connectExchange } from './connect.ts';
export { type Exchange } from './session/session.ts';
export type {
  CopiedEvent,
  CreatedEvent,
  DeletedEvent,
  EwsEvent,
  EwsId,
  FreeBusyChangedEvent,
  GapEvent,
  GapReason,
  ModifiedEvent,
  MovedEvent,
  NewMailEvent,
  ServerEvent,
  StatusEvent,
  SubscribableEvent,
} from './protocol/events.ts';
