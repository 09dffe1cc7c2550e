import { httpUrl } from '../../core/httpUrl.ts';
import type { HttpRequest } from '../../core/transport/transport.ts';
import { isWritable } from '../protocol/multipart.ts';

/**
 * What to do about the answer to a batch.
 *
 * - `read`: it holds the answers of the parts.
 * - `halve`: nothing ran; wait, then send the parts again in smaller batches.
 * - `alone`: the batch itself was refused, which says nothing of its parts; send them alone.
 * - `share`: it is the answer of every part.
 */
export type BatchDecision = 'read' | 'halve' | 'alone' | 'share';

/** Too many at once, or too much: the same in smaller pieces, or later, can pass. [BatchingRequests] */
const NOTHING_RAN = new Set([413, 429, 503]);
/** What is true of the batch is true of its parts: the token, the time of the server, the application. */
const TRUE_OF_ALL = new Set([401, 403, 407, 408, 410]);
/** Beyond that the wait is the decision of who asked. */
const LONGEST_WAIT_MS = 300_000;

/**
 * Decides what to do about the answer to a batch: a pure function of its head and body.
 *
 * A 404 is the answer of the parts only where it says that the application is gone: taken for theirs, that of
 * a batch link that leads nowhere would read as if every subscription were removed.
 */
export function decideBatch(status: number, text: string, retryAfterMs = 0): BatchDecision {
  if (status >= 200 && status < 300) return 'read';
  if (NOTHING_RAN.has(status)) return retryAfterMs > LONGEST_WAIT_MS ? 'share' : 'halve';
  if (status === 404 && text.includes('ApplicationNotFound')) return 'share';
  return (status >= 400 && status < 500 && !TRUE_OF_ALL.has(status)) || status === 501 ? 'alone' : 'share';
}

/** Whether an answer says that its request was not acted on for lack of room. */
export function isOverloaded(status: number): boolean {
  return NOTHING_RAN.has(status);
}

/** The event channel, photos and batches must not stand in a batch. [BatchingRequests] */
const NEVER_TOGETHER = /\/(?:events|photos?|batch)(?:\/|$)/i;

/**
 * Whether a request may stand in a batch that goes to `link`.
 *
 * Never together travel the event channel, photos, another batch, the application that the batch belongs to
 * with all that is above it, requests to another origin, and what cannot be written as a part.
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

/** Requests that share this key may stand in one batch: it carries one authorization for all of its parts. */
export function batchKey({ headers, credentials }: HttpRequest, link: string): string {
  return JSON.stringify([link, headers?.['authorization'], credentials]);
}
