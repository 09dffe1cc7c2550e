import { type Checkpoint, checkCheckpoint } from '../../core/checkpoint/checkpoint.ts';
import {
  choiceOption,
  invalidOption,
  invalidSecret,
  numberOption,
  objectOption,
  type OptionNames,
  urlOption,
} from '../../core/options.ts';
import { SECRET_PARAMETER, secretIn } from './callbackSecret.ts';
import type { PushSubscriptionRequest } from '../protocol/envelope.ts';
import {
  checkEvents,
  checkFolders,
  graceMsOption,
  textOption,
  WATCHED_FOLDERS_NAMES,
  type WatchedFolders,
} from '../protocol/folders.ts';

/** What to watch, and where the server is to post it. */
export interface PushOptions extends WatchedFolders {
  /**
   * Where the server posts: an absolute URL, at which the listener of `incoming` is reached. The server must be
   * able to reach it, and to trust its certificate. Each process needs one of its own.
   */
  readonly callbackUrl: string;
  /**
   * Adds a secret to the query of `callbackUrl`, as the parameter `pushKey`: 128 random bits, other ones for each
   * subscription. A post without it reaches no subscription, whatever ids it names.
   *
   * `false` leaves `callbackUrl` as it is, for a URL that cannot have a query, or an adapter that does not tell
   * the URL of a request. Then anybody who knows `callbackUrl` and a subscription id can post events for it, and
   * unknown posts can delay the first events of a new subscription: let only your Exchange servers reach it.
   * @default true
   */
  readonly callbackSecret?: boolean;
  /**
   * How often the server says that the subscription stands when nothing happens, in whole minutes from 1 to
   * 1440. So long it also tries again to post what it could not, and then ends the subscription; and as long
   * it may take at most until it asks, and can be told to end it.
   * @default 5
   */
  readonly statusFrequencyMinutes?: number;
  /** Where to resume: the watermark of an event that came before, such as in another life of this process. */
  readonly watermark?: string;
  /**
   * When the server has lost the subscription: `resume` goes on from the last watermark; `fresh` subscribes
   * afresh and tells of a gap, which costs a large mailbox less. Servers without watermarks know only that.
   * @default 'resume'
   */
  readonly onLost?: 'resume' | 'fresh';
  /**
   * Shares one subscription between all subscribers of the Observable, and keeps it for so many seconds after
   * the last has left.
   * @default each subscriber has its own
   */
  readonly graceSeconds?: number;
  /**
   * Keeps for the next process how far this stream has come, and its subscription on the server. A stream
   * that begins with a checkpoint goes on behind the last events that were processed, which is when `next` of
   * all subscribers has returned, and first removes what was left on the server. It is shared, as with
   * `graceSeconds`.
   * @default nothing is kept
   */
  readonly checkpoint?: Checkpoint;
}

const NAMES: OptionNames<PushOptions> = {
  ...WATCHED_FOLDERS_NAMES,
  callbackUrl: 1,
  callbackSecret: 1,
  statusFrequencyMinutes: 1,
  watermark: 1,
  onLost: 1,
  graceSeconds: 1,
  checkpoint: 1,
};

/** The options, checked and with their defaults. */
export interface ResolvedPushOptions {
  readonly request: PushSubscriptionRequest;
  readonly hasSecret: boolean;
  /** After so long without a word the server has given the subscription up. */
  readonly silenceMs: number;
  readonly resume: boolean;
  readonly graceMs: number | undefined;
  readonly checkpoint: Checkpoint | undefined;
}

/** How much later than it should something may come. */
const LATE_MS = 30_000;

/** Checks the options; throws a TypeError that names the one that cannot be used. */
export function resolvePushOptions(options: PushOptions): ResolvedPushOptions {
  objectOption('options', options, NAMES);
  const {
    statusFrequencyMinutes = 5,
    callbackSecret = true,
    watermark,
    onLost = 'resume',
    graceSeconds,
  } = options;
  const checkpoint = checkCheckpoint(options.checkpoint);
  numberOption('statusFrequencyMinutes', statusFrequencyMinutes, { min: 1, max: 1440, integer: true });
  if (watermark !== undefined) textOption('watermark', watermark);
  // Callers without types can pass anything: no mistake may switch it off.
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
    request: {
      type: 'push',
      folders: checkFolders(options),
      events: checkEvents(options.events),
      watermark,
      statusFrequencyMinutes,
      callbackUrl,
    },
    hasSecret: callbackSecret,
    // It speaks after one frequency at the latest, and tries again for another.
    silenceMs: statusFrequencyMinutes * 120_000 + LATE_MS,
    resume: choiceOption('onLost', onLost, ['resume', 'fresh']) === 'resume',
    // Two subscriptions could not keep one place.
    graceMs: graceMsOption(graceSeconds ?? (checkpoint === undefined ? undefined : 0)),
    checkpoint,
  };
}
