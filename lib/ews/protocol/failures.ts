import { retryAfterOf } from '../../core/backoff/backoff.ts';
import { DecodeError, HttpError, NetworkError } from '../../core/errors.ts';
import type { ReleaseDecision } from '../../core/lifecycle/release.ts';
import type { NotificationOperation } from './envelope.ts';
import { EwsError, SoapFault } from './errors.ts';
import type { GapReason } from './events.ts';

/** The operation that failed. */
export interface FailureContext {
  readonly operation: 'Subscribe' | 'Unsubscribe' | NotificationOperation;
  /** Whether the server has sent events or a response for this subscription before. @default false */
  readonly hasResponded?: boolean;
}

/**
 * How to handle a failure.
 *
 * - `continue`: the subscription still exists: emit the gap.
 * - `retry`: wait with backoff, then send the same again.
 * - `resubscribe`: re-create the subscription, from the last watermark if there is one.
 * - `resubscribeFromNow`: re-create it without the watermark, and emit the gap.
 * - `resubscribeDelayed`: the same after a longer wait.
 * - `waitForReleases`: try again when the current releases of this process are over; fail if there are none.
 * - `gone`: the subscription to remove does not exist, which is success.
 * - `fail`: end with the error.
 */
export type EwsAction =
  | 'continue'
  | 'retry'
  | 'resubscribe'
  | 'resubscribeFromNow'
  | 'resubscribeDelayed'
  | 'waitForReleases'
  | 'gone'
  | 'fail';

/** An action, and its details. */
export interface EwsDecision {
  readonly action: EwsAction;
  /** The shortest wait that the server accepts, in milliseconds. */
  readonly delayMs?: number;
  /** The gap to emit if the stream cannot resume. */
  readonly gap?: GapReason;
  /** Whether the server says that the subscription does not exist, so that there is nothing to remove. */
  readonly isGone?: boolean;
}

const FAIL: EwsDecision = { action: 'fail' };
const RETRY: EwsDecision = { action: 'retry' };
const LOST: EwsDecision = { action: 'resubscribe', gap: 'subscriptionLost', isGone: true };
const DENIED: EwsDecision = { action: 'resubscribeFromNow', gap: 'subscriptionLost' };
const MOVED: EwsDecision = { action: 'resubscribeDelayed', gap: 'mailboxMoved' };

/**
 * The failure policy by response code, for the operations that bring events.
 *
 * Codes that end a subscription mean something else in response to Subscribe and Unsubscribe: {@link
 * decideFailure}.
 */
export const EWS_FAILURES: readonly (readonly [code: string, decision: EwsDecision])[] = [
  ['ErrorSubscriptionNotFound', LOST],
  ['ErrorExpiredSubscription', LOST],
  ['ErrorInvalidSubscription', LOST],
  ['ErrorReadEventsFailed', { action: 'resubscribe', gap: 'subscriptionLost' }],
  ['ErrorInvalidWatermark', { action: 'resubscribeFromNow', gap: 'watermarkRefused' }],
  ['ErrorMissedNotificationEvents', { action: 'continue', gap: 'eventsMissed' }],
  ['ErrorSubscriptionUnsubscribed', { action: 'resubscribeFromNow', gap: 'subscriptionLost', isGone: true }],
  ['ErrorNewEventStreamConnectionOpened', { action: 'retry', gap: 'connectionLost' }],
  ['ErrorServerBusy', RETRY],
  ['ErrorExceededConnectionCount', RETRY],
  ['ErrorExceededSubscriptionCount', { action: 'waitForReleases' }],
  ['ErrorConnectionFailed', RETRY],
  ['ErrorTimeoutExpired', RETRY],
  ['ErrorInternalServerTransientError', RETRY],
  ['ErrorInsufficientResources', RETRY],
  ['ErrorADUnavailable', RETRY],
  ['ErrorNoRespondingCASInDestinationSite', RETRY],
  ['ErrorProxiedSubscriptionCallFailure', RETRY],
  ['ErrorMailboxMoveInProgress', MOVED],
  ['ErrorMailboxStoreUnavailable', MOVED],
  ['ErrorMailboxFailover', MOVED],
  ['ErrorProxyRequestNotAllowed', MOVED],
];

const BY_CODE: ReadonlyMap<string, EwsDecision> = new Map(EWS_FAILURES);

const ACCESS_DENIED = new Set(['ErrorAccessDenied', 'ErrorSubscriptionAccessDenied']);
const TRANSIENT_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Returns what to do about a failed operation: a pure function.
 *
 * Failures that the policy does not list are for the subscriber to handle: `fail`.
 */
export function decideFailure(error: unknown, context: FailureContext): EwsDecision {
  if (error instanceof SoapFault || error instanceof EwsError) return decideCode(error, context);
  if (error instanceof NetworkError) return RETRY;
  // An AutodiscoverError without a network: instanceof would bundle the class in each program.
  if ((error as { readonly isUnreachable?: unknown } | undefined)?.isUnreachable === true) return RETRY;
  if (error instanceof HttpError && TRANSIENT_STATUSES.has(error.status)) return withDelay(RETRY, error);
  return FAIL;
}

function decideCode(error: SoapFault | EwsError, { operation, hasResponded }: FailureContext): EwsDecision {
  const bringsEvents = operation !== 'Subscribe' && operation !== 'Unsubscribe';
  // Some servers reuse ids: a subscription that worked before may belong to another user now.
  if (bringsEvents && hasResponded === true && ACCESS_DENIED.has(error.code)) return DENIED;
  const decision = BY_CODE.get(error.code) ?? FAIL;
  if (operation === 'Unsubscribe' && decision.isGone === true) return { action: 'gone' };
  if (operation === 'Subscribe' && decision.isGone === true) return FAIL;
  return withDelay(decision, error);
}

function withDelay(decision: EwsDecision, error: unknown): EwsDecision {
  const delayMs = retryAfterOf(error);
  return delayMs === undefined ? decision : { ...decision, delayMs };
}

/** Actions after which another Unsubscribe may succeed. */
const RETRIED_RELEASES: ReadonlySet<EwsAction> = new Set([
  'retry',
  'resubscribeDelayed',
  'resubscribe',
  'waitForReleases',
]);

/**
 * Returns what to do about a failed Unsubscribe: the same policy, in the terms of the release ledger.
 *
 * An unreadable response is retried: a second Unsubscribe does no harm, and the page of a proxy is transient.
 * A 401 is not: the transport has already tried a new token, and repeated attempts with a password lock the
 * account.
 */
export function decideUnsubscribe(error: unknown): ReleaseDecision {
  const { action } = decideFailure(error, { operation: 'Unsubscribe' });
  if (action === 'gone') return 'alreadyGone';
  return RETRIED_RELEASES.has(action) || error instanceof DecodeError ? 'retry' : 'fail';
}
