/**
 * The neutral core: what a transport is, how it is signed, pinned and retried, and the ledger in which every
 * subscription on a server ends.
 *
 * @module
 */
export { type Activity, ACTIVITY_CHANNEL, activityReport, type ActivityReport } from './core/activity.ts';
export { readText } from './core/body.ts';
export type { BackoffPolicy } from './core/backoff.ts';
export { browserCredentials } from './core/browserCredentials.ts';
export type { Checkpoint, CheckpointStore, Json } from './core/checkpoint.ts';
export { CheckpointError } from './core/checkpointError.ts';
export { closeOnPageHide } from './core/closeOnPageHide.ts';
export { cookieJar, type CookieJar } from './core/cookieJar.ts';
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
export { fetchTransport } from './core/fetchTransport.ts';
export { fileCheckpoints } from './core/fileCheckpoints.ts';
export type { Fetch } from './core/keptAliveFetch.ts';
export type { Limits } from './core/limits.ts';
export { memoryCheckpoints } from './core/memoryCheckpoints.ts';
export { pinnedTo } from './core/pinnedTo.ts';
export { decideRelease, type ReleaseDecision, type ReleaseResult } from './core/release.ts';
export {
  type AlreadyGone,
  type CloseOptions,
  type DrainOptions,
  type DrainReport,
  type EndedByServer,
  type Expired,
  type Failed,
  type PendingRelease,
  type Released,
  type ReleaseEntry,
  releaseLedger,
  type ReleaseLedger,
  type ReleaseOutcome,
  type Releases,
  type Unknown,
} from './core/releases.ts';
export { shareWithGrace } from './core/shareWithGrace.ts';
export { untilClosed } from './core/untilClosed.ts';
export { type Lease, remoteResource, type RemoteResource } from './core/remoteResource.ts';
export { reportProgress } from './core/reportProgress.ts';
export {
  headersFrom,
  type HttpHeaders,
  type HttpRequest,
  type HttpResponse,
  type Middleware,
  type Repetition,
  type RequestProgress,
  type Transport,
} from './core/transport.ts';
export {
  type AttemptResult,
  decideRetry,
  type RetryDecision,
  type RetryPolicy,
  withRetry,
} from './core/withRetry.ts';
export { type ConcurrencyOptions, withConcurrency } from './core/withConcurrency.ts';
export { withCookies } from './core/withCookies.ts';
export {
  type IssuedToken,
  type TokenOptions,
  type TokenProvider,
  type TokenSource,
  withToken,
} from './core/withToken.ts';
