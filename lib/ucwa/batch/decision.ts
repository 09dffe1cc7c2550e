import { httpUrl } from '../../core/httpUrl.ts';
import type { HttpRequest } from '../../core/transport/transport.ts';
import { isApplicationGone } from '../protocol/failures.ts';
import { isWritable } from '../protocol/multipart.ts';

/**
 * The reaction to the response to a batch.
 *
 * - `read`: it contains the responses of the parts.
 * - `halve`: nothing was processed; wait, then send the parts again in smaller batches.
 * - `alone`: the batch itself was refused, which says nothing about its parts; send them alone.
 * - `share`: it is the response to every part.
 */
export type BatchDecision = 'read' | 'halve' | 'alone' | 'share';

/**
 * Statuses after which nothing was processed: smaller or later batches may succeed.
 *
 * @see [MS-UCWA] BatchingRequests
 */
const NOTHING_RAN = new Set([413, 429, 503]);
/** Statuses that apply to every part: they concern the token, a time limit or the application. */
const TRUE_OF_ALL = new Set([401, 403, 407, 408, 410]);
/** The longest wait of a queue, in milliseconds: the caller decides about longer ones. */
const LONGEST_WAIT_MS = 300_000;

/**
 * Returns the reaction to the response to a batch: a pure function.
 *
 * A 404 is the response to the parts only if it says that the application is gone. If the 404 of a wrong
 * batch link were shared, every subscription would look removed.
 */
export function decideBatch(status: number, text: string, retryAfterMs = 0): BatchDecision {
  if (status >= 200 && status < 300) return 'read';
  if (NOTHING_RAN.has(status)) return retryAfterMs > LONGEST_WAIT_MS ? 'share' : 'halve';
  if (isApplicationGone(status, text)) return 'share';
  return (status >= 400 && status < 500 && !TRUE_OF_ALL.has(status)) || status === 501 ? 'alone' : 'share';
}

/** Returns whether a response says that its request was not processed because of overload. */
export function isOverloaded(status: number): boolean {
  return NOTHING_RAN.has(status);
}

/**
 * Paths that must not be in a batch: the event channel, photos and batches.
 *
 * @see [MS-UCWA] BatchingRequests
 */
const NEVER_TOGETHER = /\/(?:events|photos?|batch)(?:\/|$)/i;

/**
 * Returns whether a request may be part of a batch to `link`.
 *
 * Excluded are the event channel, photos, other batches, the batch's application and its parents, requests to
 * another origin, and requests that cannot be written as a part.
 */
export function mayTravelTogether(request: HttpRequest, link: string): boolean {
  const url = httpUrl(request.url);
  const batch = httpUrl(link);
  if (url === undefined || batch === undefined) return false;
  const { origin, pathname } = url;
  return (
    origin === batch.origin &&
    pathname !== batch.pathname &&
    !batch.pathname.startsWith(`${pathname.replace(/\/$/, '')}/`) &&
    !NEVER_TOGETHER.test(pathname) &&
    isWritable(request)
  );
}

/** Returns the key of requests that may share a batch: its parts have one authorization. */
export function batchKey({ headers, credentials }: HttpRequest, link: string): string {
  return JSON.stringify([link, headers?.['authorization'], credentials]);
}
