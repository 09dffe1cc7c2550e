import {
  choiceOption,
  invalidOption,
  numberOption,
  type OptionNames,
  urlOption,
} from '../../core/options.ts';
import { BATCH_SHAPES, type BatchRules, type BatchShape } from './routes/batch.ts';
import type { ApplicationOptions } from './application.ts';

/** How the simulated server behaves. */
export interface UcwaSimulatorOptions {
  /** Where it pretends to be. When it is served over HTTP, it answers wherever it is asked. @default 'https://ucwa.example' */
  readonly origin?: string;
  /** The path of `applications`. @default '/ucwa/oauth/v1/applications' */
  readonly path?: string;
  /** The only token that is good. @default any Bearer token is */
  readonly token?: string;
  /**
   * How long a request and its answer travel together, in milliseconds; half of it passes before the server
   * acts. A request that was sent is acted on, even if its client has aborted it. @default 0: all is synchronous
   */
  readonly latencyMs?: number;
  /**
   * How many times as fast as the clock the server's own time goes: what it waits, and what expires. What
   * clients ask for is in the server's time too. @default 1
   */
  readonly speed?: number;
  /** How long events of low priority wait for others, unless the client asks for another time. @default 15 */
  readonly lowSeconds?: number;
  /** The same for events of medium priority: those of presence are. @default 5 */
  readonly mediumSeconds?: number;
  /** How long a request for events is held, unless the client asks for another time. @default 180 */
  readonly timeoutSeconds?: number;
  /** How long before its expiry a subscription is `updated`: the documentation does not say. @default 120 */
  readonly expiryWarningSeconds?: number;
  /** What an extended subscription is answered with: one page says 200, another 201. @default 200 */
  readonly extensionStatus?: 200 | 201;
  /** How many presence subscriptions an application may have; beyond, it is 403. @default no limit */
  readonly maxPresenceSubscriptions?: number;
  /** How many contacts can be asked for in one request; beyond, it is 403. @default no limit */
  readonly maxContactsAtOnce?: number;
  /** The user's groups: `sip:` URIs by the name of the group. @default none */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  /** How the query parameter is called that carries the cursor; one documented answer says `ck`. @default 'ack' */
  readonly cursorParameter?: string;
  /** What the href of a contact ends with: its address, or a number that says nothing. @default 'address' */
  readonly contactHrefs?: 'address' | 'opaque';
  /**
   * Whether events on the state of a contact bring the resource along, or its link only, as documented.
   * @default 'linkOnly'
   */
  readonly contactEvents?: 'linkOnly' | 'embedded';
  /** How many requests may stand in one batch; beyond, the whole is 429. @default 100 */
  readonly maxBatchParts?: number;
  /** How answers to batches are written. @default 'plain' */
  readonly batchShape?: BatchShape;
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
};

/** What the options come to. */
interface UcwaRules {
  readonly origin: string;
  readonly path: string;
  readonly latencyMs: number;
  readonly application: Omit<ApplicationOptions, 'contacts'>;
  readonly batch: BatchRules;
  readonly contactHrefs: 'address' | 'opaque';
  readonly areContactsEmbedded: boolean;
}

/** Checks the options, and fills in what they leave out. */
export function ucwaRules(options: UcwaSimulatorOptions): UcwaRules {
  const { latencyMs = 0, lowSeconds = 15, mediumSeconds = 5, timeoutSeconds = 180 } = options;
  const { expiryWarningSeconds = 120, cursorParameter = 'ack' } = options;
  const { origin } = urlOption('origin', options.origin ?? 'https://ucwa.example');
  const path = options.path ?? '/ucwa/oauth/v1/applications';
  if (!/^(?:\/[\w.~-]+)+$/.test(path)) throw invalidOption('path', path, 'a path without a slash at its end');
  const numbers = { latencyMs, lowSeconds, mediumSeconds, timeoutSeconds, expiryWarningSeconds };
  for (const [name, value] of Object.entries(numbers)) numberOption(name, value, { min: 0 });
  const secondMs = 1000 / numberOption('speed', options.speed ?? 1, { min: 0.001 });
  const contactHrefs = choiceOption('contactHrefs', options.contactHrefs ?? 'address', ['address', 'opaque']);
  const contactEvents = options.contactEvents ?? 'linkOnly';
  return {
    ...{ origin, path, latencyMs, contactHrefs },
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
