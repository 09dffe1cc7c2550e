import { choiceOption, numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import type { Transport } from '../../core/transport/transport.ts';
import type { EwsDialect } from './dialect.ts';

/** The options of a simulated EWS server. @inline */
export interface EwsSimulatorOptions {
  /**
   * The server to simulate: `exchange`, `grommunio` (version 3.10) or `grommunio-3.9` (3.9 and earlier).
   *
   * grommunio has no watermarks, posts nothing for push subscriptions, reuses its short ids after a restart,
   * and sends its faults with status 200.
   * @default 'exchange'
   */
  readonly dialect?: EwsDialect;
  /** The bearer token that requests must have. @default none: every request is accepted */
  readonly token?: string;
  /** The user name and password that requests must have. @default none: every request is accepted */
  readonly basic?: { readonly username: string; readonly password: string };
  /** Milliseconds for a request and its response together. @default 0: responds synchronously */
  readonly latencyMs?: number;
  /** The largest number of subscriptions at a time. @default 5000 */
  readonly maxSubscriptions?: number;
  /** Seconds between the heartbeats of a stream. @default 45 */
  readonly heartbeatSeconds?: number;
  /**
   * The largest number of events that may wait for a subscription of grommunio, its `ews_max_pending_events`.
   *
   * A subscription with more loses them all: until it is removed, its requests fail with
   * ErrorInvalidSubscription.
   * @default 4000
   */
  readonly maxPendingEvents?: number;
  /**
   * Seconds between two checks of a stream by grommunio, its `ews_cache_interval` (5 there).
   *
   * If an event arrived in the last 0.1 seconds, a stream waits for the next check. Under a constant load it
   * therefore sends nothing, not even heartbeats.
   * @default 0: sends at once
   */
  readonly cacheIntervalSeconds?: number;
  /** The largest chunk of a stream, in bytes. @default one chunk for each envelope */
  readonly chunkBytes?: number;
  /** The largest number of open streams. @default 100 */
  readonly maxStreams?: number;
  /**
   * The transport that posts notifications: that of a `pushCallback`, or `fetchTransport()` over a network.
   * @default none: push subscriptions fail
   */
  readonly push?: Transport;
}

const NAMES: OptionNames<EwsSimulatorOptions> = {
  dialect: 1,
  token: 1,
  basic: 1,
  latencyMs: 1,
  maxSubscriptions: 1,
  heartbeatSeconds: 1,
  maxPendingEvents: 1,
  cacheIntervalSeconds: 1,
  chunkBytes: 1,
  maxStreams: 1,
  push: 1,
};

/** The options with their defaults. */
interface ResolvedEwsOptions {
  readonly dialect: EwsDialect;
  /** The Authorization header that requests must have. */
  readonly authorization: string | undefined;
  readonly latencyMs: number;
  readonly limits: { readonly maxSubscriptions: number; readonly maxPendingEvents: number };
  readonly streams: {
    readonly heartbeatMs: number;
    readonly cacheIntervalMs: number;
    readonly chunkBytes: number;
    readonly maxStreams: number;
  };
  readonly push: Transport | undefined;
}

/** Returns the options with their defaults. @throws TypeError that names an invalid option */
export function resolveEwsOptions(options: EwsSimulatorOptions): ResolvedEwsOptions {
  objectOption('options', options, NAMES);
  const { dialect = 'exchange', latencyMs = 0, chunkBytes = Number.MAX_SAFE_INTEGER } = options;
  const { maxSubscriptions = 5000, maxPendingEvents = 4000, maxStreams = 100 } = options;
  const { heartbeatSeconds = 45, cacheIntervalSeconds = 0 } = options;
  const whole = (name: keyof EwsSimulatorOptions, value: number, min: number): number =>
    numberOption(name, value, { min, integer: true });
  return {
    dialect: choiceOption<EwsDialect>('dialect', dialect, ['exchange', 'grommunio', 'grommunio-3.9']),
    authorization: authorizationOf(options),
    latencyMs: numberOption('latencyMs', latencyMs, { min: 0 }),
    limits: {
      maxSubscriptions: whole('maxSubscriptions', maxSubscriptions, 0),
      maxPendingEvents: whole('maxPendingEvents', maxPendingEvents, 0),
    },
    streams: {
      heartbeatMs: 1000 * numberOption('heartbeatSeconds', heartbeatSeconds, { min: 0.01 }),
      cacheIntervalMs: 1000 * numberOption('cacheIntervalSeconds', cacheIntervalSeconds, { min: 0 }),
      chunkBytes: whole('chunkBytes', chunkBytes, 1),
      maxStreams: whole('maxStreams', maxStreams, 0),
    },
    push: options.push,
  };
}

function authorizationOf({ token, basic }: EwsSimulatorOptions): string | undefined {
  if (token !== undefined) return `Bearer ${token}`;
  if (basic === undefined) return undefined;
  objectOption('basic', basic, { username: 1, password: 1 });
  const bytes = new TextEncoder().encode(`${basic.username}:${basic.password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
