/**
 * The neutral core: what a transport is, how it is signed, pinned and retried, and the ledger in which every
 * subscription on a server ends.
 *
 * @module
 */
export {
  type Activity,
  ACTIVITY_CHANNEL,
  requestLog as activityReport,
  type RequestLog as ActivityReport,
} from './core/transport/requestLog.ts';
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
export type { BackoffPolicy } from './core/backoff/backoff.ts';
export { withCredentials as browserCredentials } from './core/transport/withCredentials.ts';
export type { Checkpoint, CheckpointStore, Json } from './core/checkpoint/checkpoint.ts';
export { checkpointed } from './core/checkpoint/checkpointed.ts';
export { closeOnPageHide } from './core/lifecycle/pageHide.ts';
export { cookieJar, type CookieJar, withCookies } from './core/transport/withCookies.ts';
export { type Auth, type AuthContext, bearer } from './core/transport/auth.ts';
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
export { fetchTransport } from './core/transport/fetch.ts';
export type { Fetch } from './core/transport/send.ts';
export type { Limits } from './core/limits.ts';
export { memoryCheckpoints } from './core/checkpoint/memoryStore.ts';
export { restrictToOrigin as pinnedTo } from './core/transport/restrictToOrigin.ts';
export { decideRelease, type ReleaseDecision, type ReleaseResult } from './core/lifecycle/release.ts';
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
} from './core/lifecycle/ledger.ts';
export { shareWithGrace, untilClosed } from './core/lifecycle/closing.ts';
export { type Lease, remoteResource, type RemoteResource } from './core/lifecycle/remoteResource.ts';
export { withProgress as reportProgress } from './core/transport/withProgress.ts';
export {
  type AttemptResult,
  decideRetry,
  type RetryDecision,
  type RetryPolicy,
  withRetry,
} from './core/backoff/withRetry.ts';
export { type ConcurrencyOptions, withConcurrency } from './core/transport/withConcurrency.ts';
export {
  type IssuedToken,
  type TokenOptions,
  type TokenProvider,
  type TokenSource,
  withToken,
} from './core/transport/withToken.ts';
