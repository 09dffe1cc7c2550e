/**
 * Simulated servers for tests of applications. Each is a Transport that runs on RxJS time.
 *
 * `serve` of `rxchange/testing/http` serves one over HTTP.
 *
 * @module rxchange/testing
 */
export type { Fault } from './faults.ts';
export type { SimulatedMailbox } from './ews/mailbox.ts';
export { pushCallback, type PushCallback } from './ews/push.ts';
export { ewsSimulator, type EwsSimulator } from './ews/simulator.ts';
export { ucwaDiscovery, type UcwaDiscoverySimulator } from './ucwa/discovery/discovery.ts';
export { ucwaDomain, type UcwaDomain } from './ucwa/discovery/domain.ts';
export { ucwaSimulator, type UcwaSimulator } from './ucwa/simulator.ts';
