import type { ConnectionBackoff, Verdict } from '../../core/backoff/connectionBackoff.ts';
import { isUnavailable } from '../../core/backoff/outage.ts';
import { withProgress } from '../../core/transport/withProgress.ts';
import { withoutWebPages } from '../../core/transport/withoutWebPages.ts';
import type { HttpResponse, Middleware, Transport } from '../../core/transport/transport.ts';
import { type ResponseLimits, withLimits } from '../../core/transport/withLimits.ts';
import { retrying, type RetryPolicy } from '../../core/backoff/withRetry.ts';

/** The parts of a connection's transports. */
interface TransportStackConfig {
  /** Sends the requests. */
  readonly base: Transport;
  /** Signs them. */
  readonly sign: Middleware;
  /** Restricts them to the server's origin. */
  readonly restrict: Middleware;
  /** Notes whether the server responds. */
  readonly track: Middleware;
  /** Sends simultaneous requests as one, or limits how many are sent at a time. */
  readonly batch: Middleware;
  /** Holds all requests back while the server does not respond. */
  readonly backoff: ConnectionBackoff;
  readonly retry: RetryPolicy;
  readonly limits: ResponseLimits;
  /** Returns how long the server holds a request for events, in seconds. It adds to the limits. */
  readonly pollSeconds: () => number;
}

/** The transports of a connection. */
export interface TransportStack {
  /** For all requests except those for events. */
  readonly transport: Transport;
  /** For requests for events: the server may hold them, and the channel repeats them itself. */
  readonly polling: Transport;
}

/** Composes the transports of a connection. */
export function transportStack(config: TransportStackConfig): TransportStack {
  const { base, sign, restrict, track, batch, backoff, retry, limits, pollSeconds } = config;
  const reported = withoutWebPages(withProgress(base));
  const short = backoff.gate({ verdict });
  const hanging = backoff.gate({ verdict, isHanging: true });
  const limited = (seconds = 0): Transport => track(withLimits(limits, seconds)(reported));
  return {
    // Outside, so that no other origin gets a signature; inside, so that no link in a batch leads elsewhere.
    transport: restrict(sign(retrying(retry, backoff.pause)(batch(restrict(short(limited())))))),
    polling: restrict(sign(restrict(hanging((request) => limited(pollSeconds())(request))))),
  };
}

function verdict({ status, headers }: HttpResponse): Verdict {
  if (isUnavailable(status)) return 'fails';
  // The parts of a batch have statuses of their own.
  return /^\s*multipart/i.test(headers.get('content-type') ?? '') ? 'unclear' : 'answers';
}
