/**
 * Simulated servers for tests of applications. Each is a Transport that runs on RxJS time.
 *
 * `serve` of `rxchange/testing/http` serves one over HTTP.
 *
 * @module
 */
export { ucwaSimulator, type UcwaSimulator } from './ucwa/simulator.ts';
export type { UcwaSimulatorOptions } from './ucwa/options.ts';
export type { SimulatedPresence } from './ucwa/contacts.ts';
export type { EventPriority, SimulatedEvent, SimulatedLink } from './ucwa/events.ts';
export type { BatchShape } from './ucwa/routes/batch.ts';
export type {
  SimulatedApplicationState,
  SimulatedContactsAndGroups,
  SimulatedPresenceSubscription,
} from './ucwa/views.ts';
export {
  ucwaDiscovery,
  type UcwaDiscoveryOptions,
  type UcwaDiscoverySimulator,
} from './ucwa/discovery/discovery.ts';
export type { SimulatedToken } from './ucwa/discovery/tokenServer.ts';
export { ucwaDomain, type UcwaDomain, type UcwaDomainOptions } from './ucwa/discovery/domain.ts';

export {
  type EwsFailure,
  type EwsOperation,
  ewsSimulator,
  type EwsSimulator,
  type LoggedEwsRequest,
} from './ews/simulator.ts';
export type { EwsDialect } from './ews/dialect.ts';
export type { EwsSimulatorOptions } from './ews/options.ts';
export type { SimulatedMailbox } from './ews/mailbox.ts';
export type { SimulatedEwsSubscription } from './ews/subscriptions.ts';
export type { ImpersonatedUser, RequestSummary } from './ews/requests/readRequest.ts';
export type { OpenEwsStream, StreamEnd } from './ews/streaming/streaming.ts';
export type { PostedNotification } from './ews/push.ts';
export { pushCallback, type PushCallback } from './ews/pushCallback.ts';

export type {
  DelayedRequest,
  DelayedResponse,
  Fault,
  LateRequest,
  ReplacedResponse,
  RequestMatcher,
  TruncatedResponse,
} from './faults.ts';
export type { LoggedRequest } from './requestLog.ts';
