import { numberOption, objectOption } from '../../core/options.ts';

/** How the streaming subscriptions of a connection share its requests. @inline */
export interface StreamingLimits {
  /**
   * How many streaming requests may be open at a time, from 1 to 100, each with up to 200 subscriptions.
   *
   * One is kept free as long as the others have room, so that subscriptions join and leave without a gap.
   * With 1, each subscription that joins causes a gap for the others.
   * @default 3, the limit of Exchange 2013; later versions allow 10
   */
  readonly maxConnections?: number;
}

/**
 * Returns how many streaming requests may be open at a time.
 *
 * @throws TypeError that names the option.
 */
export function checkMaxConnections(streaming: StreamingLimits = {}): number {
  const { maxConnections = 3 } = objectOption('streaming', streaming, { maxConnections: 1 });
  return numberOption('streaming.maxConnections', maxConnections, { min: 1, max: 100, integer: true });
}
