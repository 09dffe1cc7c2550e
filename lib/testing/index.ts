/**
 * Simulated servers for the tests of applications: each is a Transport that runs on RxJS time, and can be
 * served over HTTP.
 *
 * @module
 */
export type { EwsDialect } from './ewsDialect.ts';
export type { MailboxDriver } from './ewsMailbox.ts';
export type { PostedNotification } from './ewsPush.ts';
export type { ImpersonatedUser, RequestGist } from './ewsRequests.ts';
export {
  type EwsFailure,
  type EwsOperation,
  ewsSimulator,
  type EwsSimulator,
  type EwsSimulatorOptions,
  type LoggedEwsRequest,
} from './ewsSimulator.ts';
export type { OpenEwsStream, StreamEnd } from './ewsStreaming.ts';
export type { HeldEwsSubscription } from './ewsSubscriptions.ts';
export type {
  DelayedArrival,
  Fault,
  FaultQueue,
  FaultyAnswer,
  LateAnswer,
  LateArrival,
  RequestMatcher,
  TruncatedAnswer,
} from './faults.ts';
export type { LoggedRequest } from './requestLog.ts';
export { pushCallback, type PushCallback } from './pushCallback.ts';
export { serve, type Served, type ServeOptions } from './serve.ts';
export type { BatchShape } from './ucwaBatch.ts';
export type { SimulatedPresence } from './ucwaContacts.ts';
export { ucwaDiscovery, type UcwaDiscoveryOptions, type UcwaDiscoverySimulator } from './ucwaDiscovery.ts';
export { ucwaDomain, type UcwaDomain, type UcwaDomainOptions } from './ucwaDomain.ts';
export type { SimulatedEvent, SimulatedLink, Urgency } from './ucwaEvents.ts';
export { ucwaSimulator, type UcwaSimulator, type UcwaSimulatorOptions } from './ucwaSimulator.ts';
export type {
  SimulatedApplicationState,
  SimulatedContactsAndGroups,
  SimulatedPresenceSubscription,
} from './ucwaState.ts';
export type { SimulatedToken } from './ucwaTokens.ts';
