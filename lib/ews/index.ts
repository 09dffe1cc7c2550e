/**
 * Exchange Web Services: notification subscriptions as Observables.
 *
 * @module rxchange/ews
 */
export { connectExchange } from './connect.ts';
export type { ExchangeOptions } from './options.ts';
export type { Exchange } from './session/session.ts';
export { basic } from './auth/basic.ts';
export { affinity, type Affinity } from './discovery/affinity.ts';
export { autodiscovered } from './discovery/autodiscover.ts';
export type { Autodiscovered } from './discovery/location.ts';
export { AutodiscoverError, ConnectionsFullError, EwsError, SoapFault } from './protocol/errors.ts';
export type { EwsEvent } from './protocol/events.ts';
export { pullNotifications } from './pull/pull.ts';
export { pushListener, type PushListener } from './push/listener.ts';
export { pushNotifications } from './push/push.ts';
export type { PushRequest } from './push/pushRequest.ts';
export { checkpointed } from './subscription/checkpointed.ts';
export { streamingNotifications } from './streaming/streaming.ts';
