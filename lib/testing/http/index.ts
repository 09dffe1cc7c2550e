/**
 * Simulated servers over HTTP, for Node.
 *
 * @module
 */
export { serve, type Served, type ServeOptions } from './serve.ts';
