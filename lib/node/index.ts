/**
 * The parts that need Node: checkpoints in a file, and NTLM.
 *
 * @module rxchange/node
 */
export { CheckpointError } from './durableFile.ts';
export { fileCheckpoints } from './fileStore.ts';
export { ntlm, type NtlmMessages } from './ntlm.ts';
