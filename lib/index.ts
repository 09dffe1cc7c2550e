/**
 * The parts that UCWA and EWS share: transports, signing in, checkpoints, releases, and errors.
 *
 * @module rxchange
 */
export { type Auth, bearer } from './core/auth/auth.ts';
export { type TokenProvider, withToken } from './core/auth/withToken.ts';
export { type RetryPolicy, withRetry } from './core/backoff/withRetry.ts';
export type { Checkpoint, CheckpointStore, Json } from './core/checkpoint/checkpoint.ts';
export { memoryCheckpoints } from './core/checkpoint/memoryStore.ts';
export type { ConnectionStatus } from './core/connectionStatus.ts';
export { ClosedError, DecodeError, HttpError, NetworkError, OriginError, TokenError } from './core/errors.ts';
export {
  type DrainReport,
  releaseLedger,
  type ReleaseLedger,
  type Releases,
} from './core/lifecycle/ledger.ts';
export { type ReleaseOutcome } from './core/lifecycle/releaseOutcome.ts';
export { suspendOnPageHide } from './core/lifecycle/closing.ts';
export { remoteResource, type RemoteResource } from './core/lifecycle/remoteResource.ts';
export type { Limits } from './core/limits.ts';
export { fetchTransport } from './core/transport/fetch.ts';
export type { Activity } from './core/transport/requestLog.ts';
export type { HttpRequest, HttpResponse, Middleware, Transport } from './core/transport/transport.ts';
export { withConcurrency } from './core/transport/withConcurrency.ts';
export { withCredentials } from './core/transport/withCredentials.ts';
