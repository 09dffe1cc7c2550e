import {
  invalidOption,
  invalidSecret,
  numberOption,
  objectOption,
  type OptionNames,
  urlOption,
} from '../../core/options.ts';
import type { PushSubscriptionRequest } from '../protocol/envelope.ts';
import {
  type OnLost,
  RESUMABLE_NAMES,
  resolveFolders,
  resolveNotificationOptions,
  resolveResumption,
  type ResolvedNotificationOptions,
  type ResumableOptions,
} from '../subscription/options.ts';
import { SECRET_PARAMETER, secretIn } from './callbackSecret.ts';

/** Options of `pushNotifications`. @inline */
export interface PushOptions extends ResumableOptions {
  /**
   * The absolute URL that the server posts to, which reaches the listener of `incoming`. The server must be
   * able to reach it and must trust its certificate. Each process needs its own URL.
   */
  readonly callbackUrl: string;
  /**
   * Adds a secret to the query of `callbackUrl`, as the parameter `pushKey`: 128 random bits, different for
   * each subscription. A post without it reaches no subscription, whatever ids it contains.
   *
   * `false` leaves `callbackUrl` as it is, for a URL that cannot have a query, or an adapter that does not
   * give the URL of a request. Then anybody who knows `callbackUrl` and a subscription id can post events for
   * it, and unknown posts can delay the first events of a new subscription: let only your Exchange servers
   * reach it.
   * @default true
   */
  readonly callbackSecret?: boolean;
  /**
   * How often the server posts a `status` when nothing happens, in whole minutes from 1 to 1440.
   *
   * The server retries a failed post for this long, and then ends the subscription. An unsubscribed
   * subscription lasts until the next post, so at most for this long.
   * @default 5
   */
  readonly statusFrequencyMinutes?: number;
}

const NAMES: OptionNames<PushOptions> = {
  ...RESUMABLE_NAMES,
  callbackUrl: 1,
  callbackSecret: 1,
  statusFrequencyMinutes: 1,
};

/** {@link PushOptions} with their defaults. */
export interface ResolvedPushOptions extends ResolvedNotificationOptions {
  readonly request: PushSubscriptionRequest;
  readonly hasSecret: boolean;
  /** After this long without a post the server has ended the subscription. */
  readonly silenceMs: number;
  readonly onLost: 'resume' | OnLost;
}

/** How late a post may be. */
const LATE_MS = 30_000;

/**
 * Returns the options with their defaults.
 *
 * @throws TypeError that names the option that cannot be used.
 */
export function resolvePushOptions(options: PushOptions): ResolvedPushOptions {
  objectOption('options', options, NAMES);
  const { statusFrequencyMinutes = 5, callbackSecret = true } = options;
  const shared = resolveNotificationOptions(options);
  numberOption('statusFrequencyMinutes', statusFrequencyMinutes, { min: 1, max: 1440, integer: true });
  const { watermark, onLost } = resolveResumption(options);
  // Checked although it is typed: no mistake of an untyped caller may switch the secret off.
  if (typeof (callbackSecret as unknown) !== 'boolean') {
    throw invalidOption('callbackSecret', callbackSecret, 'true or false');
  }
  const callbackUrl = urlOption('callbackUrl', options.callbackUrl).href;
  if (callbackSecret && secretIn(callbackUrl) !== undefined) {
    throw invalidSecret(
      'callbackUrl',
      `a URL without the parameter ${SECRET_PARAMETER}, which the library adds`,
    );
  }
  return {
    ...shared,
    request: { type: 'push', ...resolveFolders(options), watermark, statusFrequencyMinutes, callbackUrl },
    hasSecret: callbackSecret,
    // The server posts after one period at the latest, and retries for another.
    silenceMs: statusFrequencyMinutes * 120_000 + LATE_MS,
    onLost,
  };
}
