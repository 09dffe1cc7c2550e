/**
 * The parts that need Node: checkpoints in a file, proxies and certificates, NTLM and Kerberos.
 *
 * @module rxchange/node
 */
export { CheckpointError } from './durableFile.ts';
export { fileCheckpoints } from './fileStore.ts';
export type { NegotiateAdapter } from './negotiate/adapter.ts';
export { NegotiateError } from './negotiate/errors.ts';
export { negotiate } from './negotiate/negotiate.ts';
export { nodeTransport, type NodeTransportOptions } from './nodeTransport.ts';
export { ntlm } from './ntlm/ntlm.ts';
export type { NtlmMessages } from './ntlm/ntlmV2.ts';
