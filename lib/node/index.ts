/**
 * The parts that need Node: checkpoints in a file, proxies and certificates, and NTLM.
 *
 * @module rxchange/node
 */
export { CheckpointError } from './durableFile.ts';
export { fileCheckpoints } from './fileStore.ts';
export { nodeTransport, type NodeTransportOptions } from './nodeTransport.ts';
export { ntlm } from './ntlm/ntlm.ts';
export type { NtlmMessages } from './ntlm/ntlmV2.ts';
