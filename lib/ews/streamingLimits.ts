import { numberOption } from '../core/options.ts';

/** How the streaming subscriptions of a service share its connections. */
export interface StreamingLimits {
  /**
   * How many requests may hang open at a time, from 1 to 100, each with up to 200 subscriptions. While they
   * fit into the others, one is kept free, so that subscriptions join and leave without a gap; with 1 that
   * cannot be, and each that joins costs the others one.
   * @default 3, the limit of Exchange 2013; later versions allow 10
   */
  readonly maxConnections?: number;
  /**
   * After how many seconds of silence a connection counts as dead, from 5 to 3600. Servers send a sign of life
   * every 45 seconds or so.
   * @default 90
   */
  readonly silenceSeconds?: number;
}

/** The limits, checked and with their defaults. */
export interface CheckedStreamingLimits {
  readonly maxConnections: number;
  readonly silenceMs: number;
}

/** Checks the limits; throws a TypeError that names the one that cannot be used. */
export function checkStreamingLimits(limits: StreamingLimits = {}): CheckedStreamingLimits {
  const { maxConnections = 3, silenceSeconds = 90 } = limits;
  return {
    maxConnections: numberOption('streaming.maxConnections', maxConnections, {
      min: 1,
      max: 100,
      integer: true,
    }),
    silenceMs: numberOption('streaming.silenceSeconds', silenceSeconds, { min: 5, max: 3600 }) * 1000,
  };
}
