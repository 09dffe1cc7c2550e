import { describeUrl } from '../core/text.ts';

/**
 * All connections that a service may have for streaming are full: this subscription has no place on any.
 */
export class ConnectionsFullError extends Error {
  readonly _tag = 'ConnectionsFullError';
  override readonly name: string = 'ConnectionsFullError';
  /** How many connections the service may have. */
  readonly maxConnections: number;

  constructor(url: string, maxConnections: number, perConnection: number) {
    super(
      `The ${maxConnections} connections to ${describeUrl(url)} have ${perConnection} streaming subscriptions ` +
        'each, which is all that they can have. What to do: allow more of them with streaming.maxConnections, ' +
        'if the server does, or watch several folders with one subscription.',
    );
    this.maxConnections = maxConnections;
  }
}
