/**
 * UCWA, the API of Skype for Business: presence subscriptions and the event channel.
 *
 * @module
 */
export { type Application } from './liveApplication.ts';
export type { Me, ResourceAtHand } from './atHand.ts';
export type { Checkpoint } from '../core/checkpoint.ts';
export { batched, type BatchOptions } from './batch.ts';
export type { BatchingOptions } from './batching.ts';
export { connect, type Ucwa } from './connect.ts';
export type {
  ApplicationsOptions,
  ChannelOptions,
  CommonConnectOptions,
  ConnectOptions,
  DomainOptions,
  GivenApplicationOptions,
} from './connectOptions.ts';
export type { OnExpelled, OnReplaced } from './decision.ts';
export { type Acknowledgement, type ChannelParameters, type EventBatch } from './cursor.ts';
export { EndedError } from './endedError.ts';
export {
  type AddedEvent,
  type CompletedEvent,
  type DeletedEvent,
  type OtherEvent,
  type ResetEvent,
  type ResetKind,
  type StartedEvent,
  type UcwaEvent,
  type UpdatedEvent,
} from './events.ts';
export { type Discovery, discover, type DiscoveryOptions } from './discovery.ts';
export { DiscoveryError, type DiscoveryFailure } from './discoveryError.ts';
export { type UcwaLocation } from './discoveryWalk.ts';
export { type FrameElement, type FrameMessageEvent, type FrameParent, type FrameWindow } from './frame.ts';
export { mustDiscoverAgain } from './mustDiscoverAgain.ts';
export { myContactsAndGroups } from './contacts.ts';
export { contactPresence } from './contactPresence.ts';
export type { ContactDetail, ContactPresenceOptions } from './contactPresenceOptions.ts';
export type {
  Availability,
  ContactFields,
  ContactPresence,
  KnownPresence,
  PresenceFailure,
  UnknownPresence,
} from './contactState.ts';
export { groupPresence } from './group.ts';
export type { GroupSelection } from './groupKind.ts';
export type { LifetimeOptions } from './subscriptionOptions.ts';
export type { PublishOptions } from './publish.ts';
export { presence, type PresenceOptions } from './presence.ts';
export { presenceBoard } from './presenceBoard.ts';
export type { OnEnd } from './subscriptionStream.ts';
export {
  anonymousMeeting,
  type MeetingCredentials,
  password,
  type PasswordCredentials,
  type SignIn,
  windows,
} from './signIn.ts';
export { SignInError } from './signInError.ts';
export { UntrustedLinkError } from './trustedHosts.ts';
export {
  type Embedded,
  type Link,
  type Links,
  type NamedLink,
  type OneOrMany,
  type Reason,
  type Resource,
} from './wire.ts';
export { xframe, type XFrameOptions } from './xframe.ts';
