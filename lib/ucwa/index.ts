/**
 * UCWA, the API of Skype for Business: presence subscriptions and the event channel.
 *
 * @module rxchange/ucwa
 */
export { connectUcwa } from './connect.ts';
export type { UcwaOptions } from './options.ts';
export type { Ucwa } from './session/session.ts';
export { checkpointed } from './application/checkpointed.ts';
export type { Application } from './application/liveApplication.ts';
export { type Publishing, publishing } from './application/publish.ts';
export { anonymousMeeting, password, windows } from './auth/signIn.ts';
export type { SignIn } from './auth/signer.ts';
export { type Batching, batching } from './batch/batched.ts';
export { discovered } from './discovery/discovered.ts';
export { existingApplication, type UcwaServer } from './discovery/server.ts';
export { myContactsAndGroups } from './presence/contactList.ts';
export { contactPresence } from './presence/contactPresence.ts';
export type { ContactPresence } from './presence/contactState.ts';
export { groupPresence } from './presence/group.ts';
export { presence } from './presence/presence.ts';
export { type PresenceBoard, presenceBoard } from './presence/presenceBoard.ts';
export { DiscoveryError, EndedError, SignInError, UntrustedLinkError } from './protocol/errors.ts';
export type { UcwaEvent } from './protocol/events.ts';
export type { Link, Resource } from './protocol/resource.ts';
export { xframe } from './transport/xframe.ts';
