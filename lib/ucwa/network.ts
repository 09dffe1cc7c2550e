import { reportProgress } from '../core/reportProgress.ts';
import type { Middleware, Transport } from '../core/transport.ts';
import { type ResponseLimits, withLimits } from '../core/withLimits.ts';
import { type RetryPolicy, withRetry } from '../core/withRetry.ts';

/** What the requests of a connection go through. */
export interface NetworkConfig {
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
  readonly retry: RetryPolicy;
  readonly limits: ResponseLimits;
  /** How long the server holds a request for events, in seconds: on top of the limits. */
  readonly heldSeconds: () => number;
}

/** The ways of a connection to its server. */
export interface Network {
  /** For all requests but those for events. */
  readonly transport: Transport;
  /** For requests for events: with patience while they are held, and without repetition, which the channel has. */
  readonly polling: Transport;
}

/** Composes what the requests of a connection go through, on their way to its server. */
export function network(config: NetworkConfig): Network {
  const { sending, signed, pinned, noted, together, retry, limits, heldSeconds } = config;
  const reported = reportProgress(sending);
  const limited = (seconds = 0): Transport => pinned(noted(withLimits(limits, seconds)(reported)));
  return {
    transport: pinned(signed(withRetry(retry)(together(limited())))),
    polling: pinned(signed((request) => limited(heldSeconds())(request))),
  };
}
