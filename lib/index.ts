/**
 * The parts that UCWA and EWS share: transports, signing in, checkpoints, releases, and errors.
 *
 * @module
 */
export { type Auth, type AuthContext, bearer } from './core/auth/auth.ts';
export type { BackoffPolicy } from './core/backoff/backoff.ts';
export { type RetryPolicy, withRetry } from './core/backoff/withRetry.ts';
export type { Checkpoint, CheckpointStore, Json } from './core/checkpoint/checkpoint.ts';
export { checkpointed } from './core/checkpoint/checkpointed.ts';
export { memoryCheckpoints } from './core/checkpoint/memoryStore.ts';
export type { ConnectionStatus, WaitingReason } from './core/connectionStatus.ts';
export { decode } from './core/decode.ts';
export {
  ClosedError,
  DecodeError,
  HttpError,
  NetworkError,
  OriginError,
  type RequestIdentity,
  TokenError,
} from './core/errors.ts';
export {
  type CloseOptions,
  type DrainOptions,
  type DrainReport,
  type PendingRelease,
  type ReleaseEntry,
  releaseLedger,
  type ReleaseLedger,
  type ReleaseOutcome,
  type Releases,
} from './core/lifecycle/ledger.ts';
export { closeOnPageHide } from './core/lifecycle/pageHide.ts';
export type { ReleaseDecision, ReleaseResult } from './core/lifecycle/release.ts';
export { type Lease, remoteResource, type RemoteResource } from './core/lifecycle/remoteResource.ts';
export type { Limits } from './core/limits.ts';
export { fetchTransport } from './core/transport/fetch.ts';
export { type Activity, ACTIVITY_CHANNEL } from './core/transport/requestLog.ts';
export { restrictToOrigin } from './core/transport/restrictToOrigin.ts';
export type { Fetch } from './core/transport/send.ts';
export {
  headersFrom,
  type HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  type Middleware,
  readText,
  type Repetition,
  type RequestProgress,
  type Transport,
} from './core/transport/transport.ts';
export { type ConcurrencyOptions, withConcurrency } from './core/transport/withConcurrency.ts';
export { withCredentials } from './core/transport/withCredentials.ts';
export { withProgress } from './core/transport/withProgress.ts';
export {
  type IssuedToken,
  type TokenOptions,
  type TokenProvider,
  type TokenSource,
  withToken,
} from './core/auth/withToken.ts';
