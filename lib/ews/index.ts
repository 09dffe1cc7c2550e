/**
 * Exchange Web Services: notification subscriptions as Observables.
 *
 * @module
 */
export { connectExchange } from './connect.ts';
export type { ExchangeOptions } from './options.ts';
export type { Exchange } from './session/session.ts';
export { basic, type BasicCredentials } from './auth/basic.ts';
export { autodiscovered, type AutodiscoveredOptions } from './discovery/autodiscover.ts';
export type { Autodiscovered } from './discovery/location.ts';
export { affinity, type Affinity } from './discovery/affinity.ts';
export type { StreamingLimits } from './session/streamingLimits.ts';
export type { ExchangeVersion } from './protocol/version.ts';
export type { Folder, Impersonation } from './protocol/envelope.ts';
export type { WatchedFolders } from './protocol/folders.ts';
export type { NotificationOptions, ResumableOptions } from './subscription/options.ts';
export { pullNotifications } from './pull/pull.ts';
export type { PullOptions } from './pull/options.ts';
export { streamingNotifications } from './streaming/streaming.ts';
export type { StreamingOptions } from './streaming/options.ts';
export { pushNotifications } from './push/push.ts';
export type { PushOptions } from './push/options.ts';
export {
  type NodeResponseLike,
  pushListener,
  type PushListener,
  type PushListenerOptions,
  type RefusedPost,
} from './push/listener.ts';
export type { NodeRequestLike } from './push/body.ts';
export type { PushRequest, PushResponse } from './push/pushRequest.ts';
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
export {
  type AutodiscoverAttempt,
  AutodiscoverError,
  ConnectionsFullError,
  EwsError,
  type OperationIdentity,
  SoapFault,
} from './protocol/errors.ts';
