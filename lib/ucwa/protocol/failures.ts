import { DecodeError, HttpError, NetworkError, OriginError } from '../../core/errors.ts';
import type { ReleaseDecision } from '../../core/lifecycle/release.ts';
import type { DiscoveryError } from './errors.ts';

/** The purpose of a request. */
export type UcwaOperation = 'channel' | 'acquire' | 'release';

/**
 * The reaction to a failed request.
 *
 * - `retry`: wait with backoff, then send the request again.
 * - `gone`: the application, or the resource to remove, does not exist any more.
 * - `fail`: end with the error.
 */
export type UcwaDecision = 'retry' | 'gone' | 'fail';

/** One row of the table. The request is not repeated unless the row says so. */
interface FailureRow {
  readonly status: number | 'other 5xx';
  readonly code?: string;
  readonly subcode?: string;
  /** @default 'fail' */
  readonly channel?: UcwaDecision | 'retryLimited';
  /** @default 'fail' */
  readonly release?: UcwaDecision;
  /** The remedy. */
  readonly hint?: string;
}

/** The retries of the channel for failures that a retry seldom cures. */
const RETRIES = 3;

/**
 * The failure table: the first matching row decides. An acquire always fails.
 *
 * The transport has already retried 429 and 503, and idempotent requests after 408, 502 and 504, except on
 * the channel, which retries them without limit.
 */
export const UCWA_FAILURES: readonly FailureRow[] = [
  { status: 400, hint: 'the server does not accept the request; check the options' },
  { status: 401, hint: 'the token was refused; sign in again' },
  {
    ...{ status: 403, subcode: 'LimitExceeded' },
    hint: 'the limit of the server is reached; remove resources that are not needed',
  },
  { status: 403, hint: 'the user is not allowed to do this, or the token is not for this server' },
  // A proxy may send a 404 that is not UCWA's: it does not prove that the application is gone.
  {
    ...{ status: 404, code: 'NotFound', channel: 'gone', release: 'gone' },
    hint: 'there is no such application at this URL: it is wrong, or the application was deleted, lost, or has expired',
  },
  { status: 404, release: 'gone', hint: 'there is nothing at this address; check the URL' },
  { status: 408, channel: 'retry', release: 'retry' },
  {
    ...{ status: 409, subcode: 'PGetReplaced' },
    hint: 'another client reads the event channel of the same application; give each its own instanceId, or close the other',
  },
  {
    ...{ status: 410, subcode: 'InactiveApplicationExpired', channel: 'gone', release: 'gone' },
    hint: 'the server has ended the application after a time without activity; subscribe again, or set onApplicationEnded',
  },
  {
    ...{ status: 410, subcode: 'TooManyApplications', channel: 'gone', release: 'gone' },
    hint: 'the server has ended the application, because the user has too many; close another one',
  },
  {
    ...{ status: 410, subcode: 'UserAgentNotAllowed', channel: 'gone', release: 'gone' },
    hint: 'the server does not allow this userAgent; choose another one, or consult the administrator',
  },
  { status: 410, release: 'gone', hint: 'the server does not offer this resource any more' },
  { status: 429, channel: 'retry', release: 'retry', hint: 'too many requests; wait' },
  { status: 502, channel: 'retry', release: 'retry' },
  { status: 503, channel: 'retry', release: 'retry' },
  { status: 504, channel: 'retry', release: 'retry' },
  { status: 'other 5xx', channel: 'retryLimited', release: 'retry' },
];

/** The members of an error that the table considers. */
interface Refusal {
  readonly status: number;
  readonly code?: string | undefined;
  readonly subcode?: string | undefined;
}

function rowFor({ status, code, subcode }: Refusal): FailureRow | undefined {
  return UCWA_FAILURES.find(
    (one) =>
      (one.status === status || (one.status === 'other 5xx' && status >= 500)) &&
      (one.code === undefined || one.code === code) &&
      (one.subcode === undefined || one.subcode === subcode),
  );
}

/** Returns the remedy for a failure, for the message of the error. */
export function hintFor(refusal: Refusal): string | undefined {
  return rowFor(refusal)?.hint;
}

/**
 * Returns the reaction to a failed request: a pure function.
 *
 * - Without a network, or if discovery fails transiently, the channel and releases are retried; releases
 *   until their deadline.
 * - After a response that is not UCWA's, such as the page of a proxy, the channel is retried three times, and
 *   a release until its deadline. An acquire fails: the server may have acted.
 * - An error of the token provider ends the channel and the acquire: the caller can subscribe again. A
 *   release is retried until its deadline.
 *
 * @param failures The number of failures in a row, from 1.
 *
 * @see [MS-UCWA] ErrorsAndInformationalMessages
 * @see [MS-UCWA] EventChannelDetails
 */
export function decide(operation: UcwaOperation, error: unknown, failures: number): UcwaDecision {
  if (error instanceof OriginError || operation === 'acquire') return 'fail';
  if (error instanceof HttpError) {
    const decision = rowFor(error)?.[operation] ?? 'fail';
    return decision === 'retryLimited' ? retryLimited(failures) : decision;
  }
  if (operation === 'release' || error instanceof NetworkError) return 'retry';
  if (isTransientDiscovery(error)) return 'retry';
  return error instanceof DecodeError ? retryLimited(failures) : 'fail';
}

/** By its tag: programs without discovery need not bundle the class. */
function isTransientDiscovery(error: unknown): boolean {
  const { _tag, isTransient } = Object(error) as Partial<DiscoveryError>;
  return _tag === 'DiscoveryError' && isTransient === true;
}

/** Returns the reaction to a failed release: a resource that is gone was removed. */
export function decideDelete(error: unknown): ReleaseDecision {
  const decision = decide('release', error, 1);
  return decision === 'gone' ? 'alreadyGone' : decision;
}

/** Whether the server answered that a resource does not exist. */
export function isNotFound(error: unknown): boolean {
  return error instanceof HttpError && error.status === 404;
}

/**
 * Whether the response to a batch says that the application is gone. The 404 of a wrong batch link does not.
 */
export function isApplicationGone(status: number, text: string): boolean {
  return status === 404 && text.includes('ApplicationNotFound');
}

/** Whether the server answered that a request contains too much: a smaller one may succeed. */
export function isTooMany(error: unknown): boolean {
  if (!(error instanceof HttpError)) return false;
  return error.status === 413 || (error.status === 403 && error.subcode === 'LimitExceeded');
}

/** The reaction to another client that takes over the event channel. */
export type OnPGetReplaced = 'error' | 'newInstance';

/** Whether the server ended a request for events in favor of another one. */
export function isReplaced(error: unknown): boolean {
  return error instanceof HttpError && error.status === 409 && error.subcode === 'PGetReplaced';
}

/** The reaction to a server that ends the application with 410. */
export type OnApplicationEnded = 'error' | 'recreate';

/**
 * Whether to re-create an application after this error showed that it is gone.
 *
 * An application that was lost is always re-created. One that the server ended depends on
 * `onApplicationEnded`, unless the server would refuse the next one.
 */
export function isRecreated(error: unknown, onApplicationEnded: OnApplicationEnded): boolean {
  if (!(error instanceof HttpError) || error.status !== 410) return true;
  return onApplicationEnded === 'recreate' && error.subcode !== 'UserAgentNotAllowed';
}

function retryLimited(failures: number): UcwaDecision {
  return failures <= RETRIES ? 'retry' : 'fail';
}
