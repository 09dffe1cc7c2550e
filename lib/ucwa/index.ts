/**
 * UCWA, the API of Skype for Business: presence subscriptions and the event channel.
 *
 * @module
 */
export type { Application } from './application/liveApplication.ts';
export type {
  Embedded,
  Link,
  Links,
  Me,
  NamedLink,
  OneOrMany,
  Reason,
  Resource,
  EmbeddedResource,
} from './protocol/resource.ts';
export { type Batching, batching, type BatchingOptions } from './batch/batched.ts';
export { connectUcwa } from './connect.ts';
export type { Ucwa } from './session/session.ts';
export type { ChannelOptions, UcwaOptions } from './options.ts';
export type { ChannelParameters, EventBatch } from './protocol/cursor.ts';
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
export { discovered, type DiscoveryOptions } from './discovery/discovered.ts';
export { existingApplication, type UcwaServer } from './discovery/server.ts';
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
export { type Publishing, publishing, type PublishOptions } from './application/publish.ts';
export { presence, type PresenceOptions } from './presence/presence.ts';
export { presenceBoard } from './presence/presenceBoard.ts';
export type { SignIn, UcwaAuth } from './auth/signer.ts';
export {
  anonymousMeeting,
  type MeetingCredentials,
  password,
  type PasswordCredentials,
  windows,
} from './auth/signIn.ts';
export { xframe, type XFrameOptions } from './transport/xframe.ts';
