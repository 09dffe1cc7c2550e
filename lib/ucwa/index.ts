/**
 * UCWA, the API of Skype for Business: presence subscriptions and the event channel.
 *
 * @module
 */
export { type Application } from './application.ts';
export { type Acknowledgement } from './channel.ts';
export { connect, type Ucwa } from './connect.ts';
export type { ChannelOptions, CommonConnectOptions, ConnectOptions } from './connectOptions.ts';
export { type ChannelParameters, type EventBatch } from './cursor.ts';
export {
  type AddedEvent,
  type CompletedEvent,
  type DeletedEvent,
  type OtherEvent,
  type ResetEvent,
  type StartedEvent,
  type UcwaEvent,
  type UpdatedEvent,
} from './events.ts';
export { presence, type PresenceOptions } from './presence.ts';
export {
  type Embedded,
  type Link,
  type Links,
  type NamedLink,
  type OneOrMany,
  type Reason,
  type Resource,
} from './wire.ts';
