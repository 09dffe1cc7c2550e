import { numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import type { PullSubscriptionRequest } from '../protocol/envelope.ts';
import {
  type OnLost,
  RESUMABLE_NAMES,
  resolveFolders,
  resolveNotificationOptions,
  resolveResumption,
  type ResolvedNotificationOptions,
  type ResumableOptions,
} from '../subscription/options.ts';

/** Options of `pullNotifications`. @inline */
export interface PullOptions extends ResumableOptions {
  /**
   * How long the server keeps the subscription without a request, in whole minutes from 1 to 1440. A
   * subscription that a dead process has left expires after this time.
   * @default 10
   */
  readonly timeoutMinutes?: number;
  /** How long to wait between requests, in seconds; at most half of `timeoutMinutes`. @default 30 */
  readonly pollIntervalSeconds?: number;
}

const NAMES: OptionNames<PullOptions> = { ...RESUMABLE_NAMES, timeoutMinutes: 1, pollIntervalSeconds: 1 };

/** {@link PullOptions} with their defaults. */
export interface ResolvedPullOptions extends ResolvedNotificationOptions {
  readonly request: PullSubscriptionRequest;
  readonly timeoutMs: number;
  readonly intervalMs: number;
  readonly onLost: 'resume' | OnLost;
}

/**
 * Returns the options with their defaults.
 *
 * @throws TypeError that names the option that cannot be used.
 */
export function resolvePullOptions(options: PullOptions): ResolvedPullOptions {
  objectOption('options', options, NAMES);
  const { timeoutMinutes = 10 } = options;
  const shared = resolveNotificationOptions(options);
  numberOption('timeoutMinutes', timeoutMinutes, { min: 1, max: 1440, integer: true });
  const pollIntervalSeconds = numberOption('pollIntervalSeconds', options.pollIntervalSeconds ?? 30, {
    min: 0.01,
    // Half the timeout: the subscription survives the loss of one request.
    max: timeoutMinutes * 30,
  });
  const { watermark, onLost } = resolveResumption(options);
  return {
    ...shared,
    request: { type: 'pull', ...resolveFolders(options), watermark, timeoutMinutes },
    timeoutMs: timeoutMinutes * 60_000,
    intervalMs: pollIntervalSeconds * 1000,
    onLost,
  };
}
