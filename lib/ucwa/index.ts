/**
 * UCWA, the API of Skype for Business: presence subscriptions and the event channel.
 *
 * @module
 */
export { type Application } from './application/liveApplication.ts';
export type {
  Embedded,
  Link,
  Links,
  Me,
  NamedLink,
  OneOrMany,
  Reason,
  Resource,
  EmbeddedResource as ResourceAtHand,
} from './protocol/resource.ts';
export type { Checkpoint } from '../core/checkpoint/checkpoint.ts';
export { batched, type BatchingOptions, type BatchOptions } from './batch/batched.ts';
export { connect } from './connect.ts';
export { type Ucwa } from './session/session.ts';
export type {
  ApplicationsOptions,
  ChannelOptions,
  CommonConnectOptions,
  ConnectOptions,
  DomainOptions,
  GivenApplicationOptions,
} from './options.ts';
export type { OnExpelled, OnReplaced } from './protocol/failures.ts';
export { type Acknowledgement, type ChannelParameters, type EventBatch } from './protocol/cursor.ts';
export {
  DiscoveryError,
  type DiscoveryFailure,
  EndedError,
  SignInError,
  UntrustedLinkError,
} from './protocol/errors.ts';
export {
  type AddedEvent,
  type CompletedEvent,
  type DeletedEvent,
  type OtherEvent,
  type GapEvent as ResetEvent,
  type GapReason as ResetKind,
  type StartedEvent,
  type UcwaEvent,
  type UpdatedEvent,
} from './protocol/events.ts';
export { type Discovery, discover, type DiscoveryOptions } from './discovery/discover.ts';
export { type UcwaLocation } from './discovery/steps.ts';
export {
  type FrameElement,
  type FrameMessageEvent,
  type FrameParent,
  type FrameWindow,
} from './transport/iframe.ts';
export { shouldRediscover as mustDiscoverAgain } from './discovery/location.ts';
export { myContactsAndGroups } from './presence/contactList.ts';
export {
  type ContactDetail,
  contactPresence,
  type ContactPresenceOptions,
} from './presence/contactPresence.ts';
export type {
  Availability,
  ContactFields,
  ContactPresence,
  KnownPresence,
  PresenceFailure,
  UnknownPresence,
} from './presence/contactState.ts';
export { groupPresence, type GroupSelection } from './presence/group.ts';
export type { LifetimeOptions } from './subscription/options.ts';
export type { PublishOptions } from './application/publish.ts';
export { presence, type PresenceOptions } from './presence/presence.ts';
export { presenceBoard } from './presence/presenceBoard.ts';
export type { OnEnd } from './subscription/recreation.ts';
export {
  anonymousMeeting,
  type MeetingCredentials,
  password,
  type PasswordCredentials,
  type SignIn,
  windows,
} from './auth/signIn.ts';
export { xframe, type XFrameOptions } from './transport/xframe.ts';
