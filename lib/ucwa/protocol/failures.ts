import { DecodeError, HttpError, NetworkError, OriginError } from '../../core/errors.ts';
import type { ReleaseDecision } from '../../core/lifecycle/release.ts';
import { DiscoveryError } from './errors.ts';

/** What a request is for. */
export type UcwaOperation = 'channel' | 'acquire' | 'release';

/**
 * What to do about the failure of a request.
 *
 * - `retry`: wait with backoff, then send the same again.
 * - `gone`: it no longer exists: the application, or what was to be removed.
 * - `fail`: end with the error.
 */
export type UcwaDecision = 'retry' | 'gone' | 'fail';

/** One row of the table. */
interface FailureRow {
  readonly status: number | 'other 5xx';
  readonly code?: string;
  readonly subcode?: string;
  readonly channel: UcwaDecision | 'few';
  readonly acquire: UcwaDecision;
  readonly release: UcwaDecision;
  /** What the caller can do. */
  readonly hint?: string;
}

/** How often the channel tries again where that seldom helps. */
const FEW = 3;

/**
 * The table: the first row that matches decides.
 *
 * What is sent again without regard to what it is for (429, 503, and the idempotent after 408, 502, 504) has
 * been sent again by the transport before it comes here, but on the channel, which never tires of it.
 */
export const UCWA_FAILURES: readonly FailureRow[] = [
  {
    ...{ status: 400, channel: 'fail', acquire: 'fail', release: 'fail' },
    hint: 'the request is not one that this server takes; check the options',
  },
  {
    ...{ status: 401, channel: 'fail', acquire: 'fail', release: 'fail' },
    hint: 'the token was refused; sign in again',
  },
  {
    ...{ status: 403, subcode: 'LimitExceeded', channel: 'fail', acquire: 'fail', release: 'fail' },
    hint: 'the limit of the server is reached; remove what is not needed',
  },
  {
    ...{ status: 403, channel: 'fail', acquire: 'fail', release: 'fail' },
    hint: 'the user is not allowed to do this, or the token is not for this server',
  },
  // A 404 that is not UCWA's own can come from anything in between: it does not prove the application gone.
  {
    ...{ status: 404, code: 'NotFound', channel: 'gone', acquire: 'fail', release: 'gone' },
    hint: 'there is no such application at this URL: check the URL; one that was there was deleted, has expired, or was lost in a restart',
  },
  {
    ...{ status: 404, channel: 'fail', acquire: 'fail', release: 'gone' },
    hint: 'there is nothing at this address; check the URL',
  },
  { status: 408, channel: 'retry', acquire: 'fail', release: 'retry' },
  {
    ...{ status: 409, subcode: 'PGetReplaced', channel: 'fail', acquire: 'fail', release: 'fail' },
    hint: 'another client reads the event channel of the same application; give each an instanceId of its own, or end the other',
  },
  {
    ...{ status: 410, subcode: 'InactiveApplicationExpired' },
    ...{ channel: 'gone', acquire: 'fail', release: 'gone' },
    hint: 'the server has ended the application, because it saw no activity of its client for too long; subscribe again, or let onApplicationEnded re-create it',
  },
  {
    ...{ status: 410, subcode: 'TooManyApplications', channel: 'gone', acquire: 'fail', release: 'gone' },
    hint: 'the server has ended the application, because the user has too many; end one elsewhere',
  },
  {
    ...{ status: 410, subcode: 'UserAgentNotAllowed', channel: 'gone', acquire: 'fail', release: 'gone' },
    hint: 'the server does not allow this userAgent; ask its administrator, or give another',
  },
  {
    ...{ status: 410, channel: 'fail', acquire: 'fail', release: 'gone' },
    hint: 'the server does not serve this any more, and names no other that does',
  },
  { status: 429, channel: 'retry', acquire: 'fail', release: 'retry', hint: 'too many requests; wait' },
  { status: 502, channel: 'retry', acquire: 'fail', release: 'retry' },
  { status: 503, channel: 'retry', acquire: 'fail', release: 'retry' },
  { status: 504, channel: 'retry', acquire: 'fail', release: 'retry' },
  { status: 'other 5xx', channel: 'few', acquire: 'fail', release: 'retry' },
];

const OTHER: Omit<FailureRow, 'status'> = { channel: 'fail', acquire: 'fail', release: 'fail' };

/** The parts of an error that the table looks at. */
interface Refusal {
  readonly status: number;
  readonly code?: string | undefined;
  readonly subcode?: string | undefined;
}

function rowFor({ status, code, subcode }: Refusal): Omit<FailureRow, 'status'> {
  const row = UCWA_FAILURES.find(
    (one) =>
      (one.status === status || (one.status === 'other 5xx' && status >= 500)) &&
      (one.code === undefined || one.code === code) &&
      (one.subcode === undefined || one.subcode === subcode),
  );
  return row ?? OTHER;
}

/** What the caller can do about a refusal: one sentence, for the error. */
export function hintFor(refusal: Refusal): string | undefined {
  return rowFor(refusal).hint;
}

/**
 * Decides what to do about the failure of a request: a pure function of the error, of what the request was
 * for, and of how many failures came in a row. [ErrorsAndInformationalMessages, EventChannelDetails]
 *
 * - Without a network the channel waits for it, and so does a release, until its deadline. So they do where
 *   the hosts of discovery do not answer for now.
 * - What is not UCWA's own answer, such as the page of a proxy in between, may pass: the channel tries three
 *   times more, a release until its deadline. An acquire fails at once: the server may have acted.
 * - A token provider's own error ends the channel and the acquire, which can be subscribed to again; a
 *   release has nobody else, and asks again until its deadline.
 *
 * @param failures How many failures came in a row, from 1.
 */
export function decide(operation: UcwaOperation, error: unknown, failures: number): UcwaDecision {
  if (error instanceof HttpError) {
    const decision = rowFor(error)[operation];
    return decision === 'few' ? few(failures) : decision;
  }
  if (error instanceof OriginError || operation === 'acquire') return 'fail';
  if (operation === 'release' || error instanceof NetworkError) return 'retry';
  if (error instanceof DiscoveryError && error.isTransient) return 'retry';
  return error instanceof DecodeError ? few(failures) : 'fail';
}

/** The decision on the error of a release, as the core asks for it: what is gone need not be removed. */
export function decideDelete(error: unknown): ReleaseDecision {
  const decision = decide('release', error, 1);
  return decision === 'gone' ? 'alreadyGone' : decision;
}

/** Whether the server answered that a resource does not exist. */
export function isNotFound(error: unknown): boolean {
  return error instanceof HttpError && error.status === 404;
}

/** Whether the server answered that a request contains too much: a smaller one may succeed. */
export function isTooMany(error: unknown): boolean {
  if (!(error instanceof HttpError)) return false;
  return error.status === 413 || (error.status === 403 && error.subcode === 'LimitExceeded');
}

/** What to do when another client has taken over the event channel of the application. */
export type OnPGetReplaced = 'error' | 'newInstance';

/** Whether a request for events was answered that another client has taken its place. */
export function isReplaced(error: unknown): boolean {
  return error instanceof HttpError && error.status === 409 && error.subcode === 'PGetReplaced';
}

/** What to do when the server has ended the application and says so, by 410. */
export type OnApplicationEnded = 'error' | 'recreate';

/**
 * Whether an application is made again that was found to be gone by this error: always where it was merely
 * lost; where the server has ended it on purpose, if the caller wants that and it can help.
 */
export function isRecreated(error: unknown, onApplicationEnded: OnApplicationEnded): boolean {
  if (!(error instanceof HttpError) || error.status !== 410) return true;
  return onApplicationEnded === 'recreate' && error.subcode !== 'UserAgentNotAllowed';
}

function few(failures: number): UcwaDecision {
  return failures <= FEW ? 'retry' : 'fail';
}
