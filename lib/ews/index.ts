/**
 * Exchange Web Services: notification subscriptions as Observables.
 *
 * @module
 */
export type { Folder, Impersonation } from './envelope.ts';
export { EwsError, type OperationIdentity, SoapFault } from './errors.ts';
export { type AffinityGroup, affinityGroup, type AffinityOptions } from './affinity.ts';
export { autodiscoverEws, type AutodiscoverOptions } from './autodiscover.ts';
export type { AutodiscoverAttempt, AutodiscoverKind } from './autodiscoverCourse.ts';
export { AutodiscoverError } from './autodiscoverError.ts';
export { ntlm, type NtlmCredentials, type NtlmIdentity, type NtlmMessages } from './ntlm.ts';
export type { BasicCredentials, SignInOptions } from './signIn.ts';
export type { Checkpoint } from '../core/checkpoint.ts';
export { ConnectionsFullError } from './connectionsFull.ts';
export { streamingNotifications } from './streaming.ts';
export type { StreamingLimits } from './streamingLimits.ts';
export type { StreamingOptions } from './streamingOptions.ts';
export type { WatchedFolders } from './watchedFolders.ts';
export { pullNotifications } from './pull.ts';
export type { PullOptions } from './pullOptions.ts';
export type { IncomingNotification, NotificationAnswer } from './incomingNotification.ts';
export type { PostedRequest } from './postedBody.ts';
export { pushNotifications } from './push.ts';
export {
  type PostedResponse,
  pushListener,
  type PushListener,
  type PushListenerOptions,
  type RefusedNotification,
} from './pushListener.ts';
export type { PushOptions } from './pushOptions.ts';
export type { ExchangeOptions } from './exchangeOptions.ts';
export type { ExchangeVersion } from './exchangeVersion.ts';
export { exchange, type ExchangeService } from './service.ts';
export {
  type CopiedEvent,
  type CreatedEvent,
  type DeletedEvent,
  EwsEvent,
  type EwsId,
  type FreeBusyChangedEvent,
  type GapEvent,
  type GapReason,
  type ModifiedEvent,
  type MovedEvent,
  type NewMailEvent,
  type ServerEvent,
  type StatusEvent,
  type SubscribableEvent,
} from './events.ts';
