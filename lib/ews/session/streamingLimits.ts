import { numberOption, objectOption } from '../../core/options.ts';

/** How the streaming subscriptions of a service share its connections. */
export interface StreamingLimits {
  /**
   * How many requests may hang open at a time, from 1 to 100, each with up to 200 subscriptions. While they
   * fit into the others, one is kept free, so that subscriptions join and leave without a gap; with 1 that
   * cannot be, and each that joins costs the others one.
   * @default 3, the limit of Exchange 2013; later versions allow 10
   */
  readonly maxConnections?: number;
}

/**
 * Returns how many connections may be open at the same time.
 *
 * @throws TypeError that names the option, if the number cannot be used.
 */
export function checkMaxConnections(streaming: StreamingLimits = {}): number {
  const { maxConnections = 3 } = objectOption('streaming', streaming, { maxConnections: 1 });
  return numberOption('streaming.maxConnections', maxConnections, { min: 1, max: 100, integer: true });
}
