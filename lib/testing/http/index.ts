/**
 * Simulated servers over HTTP, for Node.
 *
 * @module rxchange/testing/http
 */
export { serve, type Served } from './serve.ts';
