/**
 * Simulated servers for the tests of applications: each is a Transport that runs on RxJS time, and can be
 * served over HTTP.
 *
 * @module
 */
export { type Fault, type FaultQueue, faultQueue, type RequestMatcher } from './faults.ts';
export { type LoggedRequest, type RequestLog, requestLog } from './requestLog.ts';
export { serve, type Served, type ServeOptions } from './serve.ts';
