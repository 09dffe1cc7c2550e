import { asyncScheduler, defer, tap } from 'rxjs';
import type { Middleware } from '../core/transport.ts';

/** One request that a simulator was sent. */
export interface LoggedRequest {
  /** Such as `DELETE`. */
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly path: string;
  /** Names in lower case; the Authorization header is told as `Bearer …`, without the token. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it was sent; undefined where there was none. */
  readonly body: string | undefined;
  /** When it was sent, in milliseconds of the scheduler's clock. */
  readonly time: number;
  /** What it was answered; undefined while it is not, and where it never was. */
  readonly status: number | undefined;
}

/** The requests that a simulator was sent. */
export interface RequestLog {
  /** In the order in which they were sent. */
  readonly requests: readonly LoggedRequest[];
  /** Notes every request that passes. */
  readonly middleware: Middleware;
}

/** Creates an empty log, as both simulators have one. */
export function requestLog(): RequestLog {
  const requests: (LoggedRequest & { status: number | undefined })[] = [];
  return {
    requests,
    middleware: (transport) => (request) =>
      defer(() => {
        const { pathname, search } = new URL(request.url);
        const entry = {
          method: request.method,
          path: `${pathname}${search}`,
          headers: withoutSecrets(request.headers ?? {}),
          body: request.body,
          time: asyncScheduler.now(),
          status: undefined as number | undefined,
        };
        requests.push(entry);
        return transport(request).pipe(tap(({ status }) => (entry.status = status)));
      }),
  };
}

function withoutSecrets({
  authorization,
  ...headers
}: Readonly<Record<string, string>>): Record<string, string> {
  if (authorization === undefined) return headers;
  return { ...headers, authorization: `${authorization.split(' ', 1).join('')} …` };
}
