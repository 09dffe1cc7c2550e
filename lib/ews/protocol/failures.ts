import { retryAfterOf } from '../../core/backoff/backoff.ts';
import { DecodeError, HttpError, NetworkError } from '../../core/errors.ts';
import type { ReleaseDecision } from '../../core/lifecycle/release.ts';
import { AutodiscoverError, EwsError, SoapFault } from './errors.ts';
import type { GapReason } from './events.ts';

/** What is known where an error came up. */
export interface FailureContext {
  readonly operation: 'Subscribe' | 'GetEvents' | 'GetStreamingEvents' | 'SendNotification' | 'Unsubscribe';
  /** Whether this very subscription has answered before. @default false */
  readonly hasAnswered?: boolean;
}

/**
 * What to do about an error.
 *
 * - `alreadyGone`: what was to be removed is not there: that is success.
 * - `goOn`: the subscription stands; tell of the gap.
 * - `resubscribe`: subscribe again, from the watermark where there is one.
 * - `resubscribeAfresh`: subscribe again, without the watermark, and tell of the gap.
 * - `resubscribeLater`: the same after a longer wait.
 * - `afterReleases`: try again when what this process is releasing is gone; if it releases nothing, fail.
 * - `backOff`: wait, and send the same again.
 * - `fail`: trying again would not help.
 */
export type EwsAction =
  | 'gone'
  | 'continue'
  | 'resubscribe'
  | 'resubscribeFromNow'
  | 'resubscribeDelayed'
  | 'waitForReleases'
  | 'retry'
  | 'fail';

/** What to do about an error, and what goes with it. */
export interface EwsDecision {
  readonly action: EwsAction;
  /** The least time to wait that the server asked for, in milliseconds. */
  readonly delayMs?: number;
  /** The gap to tell of, if the stream cannot be taken up where it was. */
  readonly gap?: GapReason;
  /** The server says that it has no such subscription any more: there is nothing to remove. */
  readonly isGone?: boolean;
}

const FAIL: EwsDecision = { action: 'fail' };
const RETRY: EwsDecision = { action: 'retry' };
const LOST: EwsDecision = { action: 'resubscribe', gap: 'subscriptionLost', isGone: true };
const DENIED: EwsDecision = { action: 'resubscribeFromNow', gap: 'subscriptionLost' };
const DELAYED: EwsDecision = { action: 'resubscribeDelayed', gap: 'mailboxMoved' };

/**
 * The table of codes: what to do when one answers GetEvents or GetStreamingEvents, or is posted.
 *
 * As the answer to another operation it means the same, but for what is gone: {@link decideFailure}.
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
  ['ErrorMailboxMoveInProgress', DELAYED],
  ['ErrorMailboxStoreUnavailable', DELAYED],
  ['ErrorMailboxFailover', DELAYED],
  ['ErrorProxyRequestNotAllowed', DELAYED],
];

const BY_CODE: ReadonlyMap<string, EwsDecision> = new Map(EWS_FAILURES);

const ACCESS_DENIED = new Set(['ErrorAccessDenied', 'ErrorSubscriptionAccessDenied']);
const TRANSIENT_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

/**
 * Decides what to do about an error: a pure function over the error, and the operation that it answers.
 *
 * What is not in the table fails: it is for who subscribed to decide.
 */
export function decideFailure(error: unknown, context: FailureContext): EwsDecision {
  if (error instanceof SoapFault || error instanceof EwsError) return decideCode(error, context);
  if (error instanceof NetworkError) return RETRY;
  // With no network at all nothing is found, and that passes.
  if (error instanceof AutodiscoverError && error.isUnreachable) return RETRY;
  if (error instanceof HttpError && TRANSIENT_STATUSES.has(error.status)) {
    return waiting(RETRY, error);
  }
  return FAIL;
}

function decideCode(error: SoapFault | EwsError, { operation, hasAnswered }: FailureContext): EwsDecision {
  const { code } = error;
  const isReading = operation !== 'Subscribe' && operation !== 'Unsubscribe';
  // Ids start again with some servers, so what was ours may be another user's now.
  if (isReading && hasAnswered === true && ACCESS_DENIED.has(code)) return DENIED;
  const decision = BY_CODE.get(code) ?? FAIL;
  if (operation === 'Unsubscribe' && decision.isGone === true) return { action: 'gone' };
  if (operation === 'Subscribe' && decision.isGone === true) return FAIL;
  return waiting(decision, error);
}

function waiting(decision: EwsDecision, error: unknown): EwsDecision {
  const delayMs = retryAfterOf(error);
  return delayMs === undefined ? decision : { ...decision, delayMs };
}

/** Actions by which an Unsubscribe is worth sending again. */
const RELEASE_AGAIN: ReadonlySet<EwsAction> = new Set([
  'retry',
  'resubscribeDelayed',
  'resubscribe',
  'waitForReleases',
]);

/**
 * Decides what to do when an Unsubscribe failed: the same table, for the ledger of releases.
 *
 * After an answer that could not be read it is sent again: a second Unsubscribe does no harm, and the page of a
 * proxy is transient. After a 401 it is not: the transport has tried a new token, and a password must not be tried
 * until the account is locked.
 */
export function decideUnsubscribe(error: unknown): ReleaseDecision {
  const { action } = decideFailure(error, { operation: 'Unsubscribe' });
  if (action === 'gone') return 'alreadyGone';
  return RELEASE_AGAIN.has(action) || error instanceof DecodeError ? 'retry' : 'fail';
}
