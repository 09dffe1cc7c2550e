import type { Subscriber } from 'rxjs';
import { NetworkError } from '../core/errors.ts';
import type { HttpRequest, HttpResponse } from '../core/transport.ts';

/** A request that waits, or is on its way. */
export interface BatchPart {
  readonly order: number;
  readonly request: HttpRequest;
  readonly link: string;
  readonly key: string;
  readonly subscriber: Subscriber<HttpResponse>;
  /** Whether a batch with it was refused. */
  goesAlone: boolean;
  /** Tells those with whom it travels that its requester has left. */
  onLeave: (() => void) | undefined;
}

/** Those of the first that wait which may go together, so many at most. */
export function firstTogether(waiting: ReadonlySet<BatchPart>, size: number): readonly BatchPart[] {
  const parts: BatchPart[] = [];
  for (const part of waiting) {
    const [first = part] = parts;
    if (part.key === first.key && (part === first || !part.goesAlone)) parts.push(part);
    if (parts.length === size || first.goesAlone) break;
  }
  return parts;
}

/** The requests of these parts, in the same order. */
export function requestsOf(parts: readonly BatchPart[]): readonly HttpRequest[] {
  return parts.map(({ request }) => request);
}

/** Ends each with an error of its own request, of the same kind. */
export function fail(parts: readonly BatchPart[], cause: unknown): void {
  for (const { request, subscriber } of parts) subscriber.error(failureOf(request, cause));
}

function failureOf(request: HttpRequest, cause: unknown): unknown {
  if (!(cause instanceof NetworkError)) return cause;
  const { code, isUnsent } = cause;
  const what = isUnsent ? 'not sent with its batch' : 'no answer to the batch that it went with';
  return new NetworkError(what, request, { cause, code, isUnsent });
}
