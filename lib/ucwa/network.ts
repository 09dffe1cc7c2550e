import { reportProgress } from '../core/reportProgress.ts';
import type { Middleware, Transport } from '../core/transport.ts';
import { type RetryPolicy, withRetry } from '../core/withRetry.ts';
import { answersWithin, PATIENCE_MS } from './answersWithin.ts';

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
  /** How long the server holds a request for events, in milliseconds. */
  readonly heldMs: () => number;
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
  const { sending, signed, pinned, noted, together, retry, heldMs } = config;
  const reported = reportProgress(sending);
  const within = (patienceMs: number): Transport => pinned(noted(answersWithin(patienceMs)(reported)));
  return {
    transport: pinned(signed(withRetry(retry)(together(within(PATIENCE_MS))))),
    polling: pinned(signed((request) => within(heldMs() + PATIENCE_MS)(request))),
  };
}
