/**
 * Simulated servers over HTTP, for Node.
 *
 * @module
 */
export { serve, type Served } from './serve.ts';
