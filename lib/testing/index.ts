/**
 * Simulated servers for the tests of applications: each is a Transport that runs on RxJS time.
 * `serve` of `rxchange/testing/http` serves it over HTTP.
 *
 * @module
 */
export type { EwsDialect } from './ews/dialect.ts';
export type { MailboxDriver } from './ews/mailbox.ts';
export type { PostedNotification } from './ews/push.ts';
export type { ImpersonatedUser, RequestGist } from './ews/requests/requests.ts';
export {
  type EwsFailure,
  type EwsOperation,
  ewsSimulator,
  type EwsSimulator,
  type EwsSimulatorOptions,
  type LoggedEwsRequest,
} from './ews/simulator.ts';
export type { OpenEwsStream, StreamEnd } from './ews/streaming/streaming.ts';
export type { HeldEwsSubscription } from './ews/subscriptions.ts';
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
export { pushCallback, type PushCallback } from './ews/pushCallback.ts';
export type { BatchShape } from './ucwa/routes/batch.ts';
export type { SimulatedPresence } from './ucwa/contacts.ts';
export {
  ucwaDiscovery,
  type UcwaDiscoveryOptions,
  type UcwaDiscoverySimulator,
} from './ucwa/discovery/discovery.ts';
export { ucwaDomain, type UcwaDomain, type UcwaDomainOptions } from './ucwa/discovery/domain.ts';
export type { SimulatedEvent, SimulatedLink, Urgency } from './ucwa/events.ts';
export { ucwaSimulator, type UcwaSimulator, type UcwaSimulatorOptions } from './ucwa/simulator.ts';
export type {
  SimulatedApplicationState,
  SimulatedContactsAndGroups,
  SimulatedPresenceSubscription,
} from './ucwa/state.ts';
export type { SimulatedToken } from './ucwa/discovery/tokens.ts';
