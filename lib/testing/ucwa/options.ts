import {
  choiceOption,
  invalidOption,
  numberOption,
  type OptionNames,
  urlOption,
} from '../../core/options.ts';
import { BATCH_SHAPES, type BatchRules, type BatchShape } from './routes/batch.ts';
import { originsOption } from '../origins.ts';
import type { ApplicationOptions } from './application.ts';

/** The options of a simulated UCWA server. @inline */
export interface UcwaSimulatorOptions {
  /** The origin of its URLs; over HTTP, it accepts any origin. @default 'https://ucwa.example' */
  readonly origin?: string;
  /** The path of `applications`. @default '/ucwa/oauth/v1/applications' */
  readonly path?: string;
  /** The only accepted token. @default none: every bearer token is accepted */
  readonly token?: string;
  /**
   * Milliseconds for a request and its response together; half of it passes before the server acts.
   *
   * The server acts on a request that was sent, even if its client has aborted it. @default 0: responds
   * synchronously
   */
  readonly latencyMs?: number;
  /**
   * The speed of the server's time relative to the clock.
   *
   * It applies to waiting and expiry, and to times that clients request. @default 1
   */
  readonly speed?: number;
  /**
   * Seconds in which events of low priority are aggregated, unless the client requests another time.
   * @default 15
   */
  readonly lowSeconds?: number;
  /** The same for events of medium priority, such as those of presence. @default 5 */
  readonly mediumSeconds?: number;
  /** Seconds until a pending GET times out, unless the client requests another time. @default 180 */
  readonly timeoutSeconds?: number;
  /** Seconds between the `updated` event of a subscription and its expiry; undocumented. @default 120 */
  readonly expiryWarningSeconds?: number;
  /** The status of a response to an extension; the documentation has both. @default 200 */
  readonly extensionStatus?: 200 | 201;
  /** The largest number of presence subscriptions of an application; more get a 403. @default no limit */
  readonly maxPresenceSubscriptions?: number;
  /** The largest number of contacts in one request; more get a 403. @default no limit */
  readonly maxContactsAtOnce?: number;
  /** The `sip:` URIs in each group of the user, by the name of the group. @default none */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  /** The name of the query parameter with the cursor; one documented response has `ck`. @default 'ack' */
  readonly cursorParameter?: string;
  /** Whether the href of a contact ends with its address or with an opaque number. @default 'address' */
  readonly contactHrefs?: 'address' | 'opaque';
  /**
   * Whether events about the state of a contact embed the resource, or have its link only, as documented.
   * @default 'linkOnly'
   */
  readonly contactEvents?: 'linkOnly' | 'embedded';
  /** The largest number of requests in a batch; larger batches get a 429. @default 100 */
  readonly maxBatchParts?: number;
  /** The format of responses to batches. @default 'plain' */
  readonly batchShape?: BatchShape;
  /**
   * Origins of pages that may use the XFrame page, besides those on this machine and of the same origin. To
   * others it responds with 403, as a real server does. @default none
   */
  readonly allowedOrigins?: readonly string[];
}

/** The names of {@link UcwaSimulatorOptions}. */
export const UCWA_SIMULATOR_NAMES: OptionNames<UcwaSimulatorOptions> = {
  origin: 1,
  path: 1,
  token: 1,
  latencyMs: 1,
  speed: 1,
  lowSeconds: 1,
  mediumSeconds: 1,
  timeoutSeconds: 1,
  expiryWarningSeconds: 1,
  extensionStatus: 1,
  maxPresenceSubscriptions: 1,
  maxContactsAtOnce: 1,
  groups: 1,
  cursorParameter: 1,
  contactHrefs: 1,
  contactEvents: 1,
  maxBatchParts: 1,
  batchShape: 1,
  allowedOrigins: 1,
};

/** The options with their defaults. */
interface ResolvedUcwaOptions {
  readonly origin: string;
  readonly path: string;
  readonly latencyMs: number;
  readonly application: Omit<ApplicationOptions, 'contacts'>;
  readonly batch: BatchRules;
  readonly contactHrefs: 'address' | 'opaque';
  readonly areContactsEmbedded: boolean;
  readonly allowedOrigins: readonly string[];
}

/** Returns the options with their defaults. @throws TypeError that names an invalid option */
export function ucwaRules(options: UcwaSimulatorOptions): ResolvedUcwaOptions {
  const { latencyMs = 0, lowSeconds = 15, mediumSeconds = 5, timeoutSeconds = 180 } = options;
  const { expiryWarningSeconds = 120, cursorParameter = 'ack' } = options;
  const { origin } = urlOption('origin', options.origin ?? 'https://ucwa.example');
  const path = options.path ?? '/ucwa/oauth/v1/applications';
  if (!/^(?:\/[\w.~-]+)+$/.test(path)) throw invalidOption('path', path, 'a path without a trailing slash');
  const numbers = { latencyMs, lowSeconds, mediumSeconds, timeoutSeconds, expiryWarningSeconds };
  for (const [name, value] of Object.entries(numbers)) numberOption(name, value, { min: 0 });
  const secondMs = 1000 / numberOption('speed', options.speed ?? 1, { min: 0.001 });
  const contactHrefs = choiceOption('contactHrefs', options.contactHrefs ?? 'address', ['address', 'opaque']);
  const contactEvents = options.contactEvents ?? 'linkOnly';
  return {
    ...{ origin, path, latencyMs, contactHrefs },
    allowedOrigins: originsOption('allowedOrigins', options.allowedOrigins ?? []),
    areContactsEmbedded:
      choiceOption('contactEvents', contactEvents, ['linkOnly', 'embedded']) === 'embedded',
    application: {
      ...{ secondMs, lowSeconds, mediumSeconds, timeoutSeconds, cursorParameter },
      warningSeconds: expiryWarningSeconds,
    },
    batch: {
      maxParts: numberOption('maxBatchParts', options.maxBatchParts ?? 100, { min: 1, integer: true }),
      shape: choiceOption('batchShape', options.batchShape ?? 'plain', BATCH_SHAPES),
    },
  };
}
