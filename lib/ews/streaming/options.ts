import { choiceOption, numberOption, objectOption, type OptionNames } from '../../core/options.ts';
import type { StreamingSubscriptionRequest } from '../protocol/envelope.ts';
import {
  NOTIFICATION_NAMES,
  type NotificationOptions,
  ON_LOST,
  type OnLost,
  resolveFolders,
  resolveNotificationOptions,
  type ResolvedNotificationOptions,
} from '../subscription/options.ts';

/** Options of `streamingNotifications`. @inline */
export interface StreamingOptions extends NotificationOptions {
  /**
   * How long one request stays open, in whole minutes from 1 to 30; then the next one replaces it. The
   * shortest value among the subscriptions that share a connection applies.
   * @default 30
   */
  readonly connectionMinutes?: number;
}

const NAMES: OptionNames<StreamingOptions> = { ...NOTIFICATION_NAMES, connectionMinutes: 1 };

/** {@link StreamingOptions} with their defaults. */
export interface ResolvedStreamingOptions extends ResolvedNotificationOptions {
  readonly request: StreamingSubscriptionRequest;
  readonly connectionMinutes: number;
  readonly onLost: OnLost;
}

/**
 * Returns the options with their defaults.
 *
 * @throws TypeError that names the option that cannot be used.
 */
export function resolveStreamingOptions(options: StreamingOptions): ResolvedStreamingOptions {
  const { connectionMinutes = 30, onLost = 'recreate' } = objectOption('options', options, NAMES);
  const shared = resolveNotificationOptions(options);
  numberOption('connectionMinutes', connectionMinutes, { min: 1, max: 30, integer: true });
  return {
    ...shared,
    request: { type: 'streaming', ...resolveFolders(options) },
    connectionMinutes,
    onLost: choiceOption('onLost', onLost, ON_LOST),
  };
}
