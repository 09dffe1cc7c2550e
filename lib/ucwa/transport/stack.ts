import type { ConnectionBackoff, Verdict } from '../../core/backoff/connectionBackoff.ts';
import { isUnavailable } from '../../core/backoff/outage.ts';
import { withProgress } from '../../core/transport/withProgress.ts';
import type { HttpResponse, Middleware, Transport } from '../../core/transport/transport.ts';
import { type ResponseLimits, withLimits } from '../../core/transport/withLimits.ts';
import { retrying, type RetryPolicy } from '../../core/backoff/withRetry.ts';

/** What the requests of a connection go through. */
interface TransportStackConfig {
  /** What sends them. */
  readonly sending: Transport;
  /** Adds the token. */
  readonly signed: Middleware;
  /** Keeps them to where the server is. */
  readonly pinned: Middleware;
  /** Notes whether the server answers. */
  readonly noted: Middleware;
  /** Sends those together that fall together. */
  readonly together: Middleware;
  /** What all its requests wait for while the server does not answer. */
  readonly backoff: ConnectionBackoff;
  readonly retry: RetryPolicy;
  readonly limits: ResponseLimits;
  /** How long the server holds a request for events, in seconds: on top of the limits. */
  readonly heldSeconds: () => number;
}

/** The ways of a connection to its server. */
export interface TransportStack {
  /** For all requests but those for events. */
  readonly transport: Transport;
  /** For requests for events: with patience while they are held, and without repetition, which the channel has. */
  readonly polling: Transport;
}

/** Composes what the requests of a connection go through, on their way to its server. */
export function transportStack(config: TransportStackConfig): TransportStack {
  const { sending, signed, pinned, noted, together, backoff, retry, limits, heldSeconds } = config;
  const reported = withProgress(sending);
  const short = backoff.gate({ verdict });
  const held = backoff.gate({ verdict, isHeld: true });
  const limited = (seconds = 0): Transport => noted(withLimits(limits, seconds)(reported));
  return {
    transport: pinned(signed(retrying(retry, backoff.pause)(together(pinned(short(limited())))))),
    polling: pinned(signed(pinned(held((request) => limited(heldSeconds())(request))))),
  };
}

/** A page comes from a proxy in between, or from a server that is starting. */
function verdict({ status, headers }: HttpResponse): Verdict {
  const type = status < 300 ? (headers.get('content-type') ?? '') : '';
  if (isUnavailable(status) || /html/i.test(type)) return 'fails';
  // The parts of a batch have statuses of their own.
  return /^multipart/i.test(type.trim()) ? 'unclear' : 'answers';
}
