import { defined } from './defined.ts';
import { type NumberRange, objectOption, type OptionRules } from './options.ts';

/**
 * Limits of everything that a server can make long, large or deep. A response beyond a limit is an error.
 *
 * The defaults are far above the values of real servers.
 */
export interface Limits {
  /** Bytes of one response that is read whole, such as a SOAP response or JSON. @default 33_554_432 */
  readonly responseBytes?: number;
  /** Characters of one EWS envelope, of a stream or of a response. @default 16_777_216 */
  readonly messageCharacters?: number;
  /**
   * Levels of XML elements in one another. JSON has a fixed bound: 32 resources in one another. @default 64
   */
  readonly depth?: number;
  /** Seconds from the request to the head of its response. A long poll adds its own time. @default 120 */
  readonly headersSeconds?: number;
  /** Seconds without any byte while a body arrives; for a stream, without a complete envelope. @default 90 */
  readonly silenceSeconds?: number;
  /**
   * Seconds from the request to the end of its response. A long poll adds its own time; streams have no such
   * limit.
   * @default 300
   */
  readonly responseSeconds?: number;
  /** Redirects that are followed from one request. @default 5; 10 in Autodiscover, as documented there */
  readonly redirects?: number;
  /** Parts of one batch response. @default 1000 */
  readonly parts?: number;
  /** Bytes of an unread body; a larger one is cancelled with its connection. @default 65_536 */
  readonly drainBytes?: number;
  /** Seconds for reading an unread body to its end, which keeps the connection. @default 1 */
  readonly drainSeconds?: number;
}

/** The defaults of {@link Limits}. */
export const DEFAULT_LIMITS: Required<Limits> = {
  responseBytes: 32 * 1024 * 1024,
  messageCharacters: 16 * 1024 * 1024,
  depth: 64,
  headersSeconds: 120,
  silenceSeconds: 90,
  responseSeconds: 300,
  redirects: 5,
  parts: 1000,
  drainBytes: 65_536,
  drainSeconds: 1,
};

const COUNT: NumberRange = { min: 1, integer: true };
const SECONDS: NumberRange = { min: 0.01, max: 86_400 };

const RULES: OptionRules<Limits> = {
  responseBytes: COUNT,
  messageCharacters: COUNT,
  // A SOAP envelope with events has more than a dozen levels.
  depth: { min: 16, max: 1000, integer: true },
  headersSeconds: SECONDS,
  silenceSeconds: SECONDS,
  responseSeconds: SECONDS,
  redirects: { min: 0, max: 100, integer: true },
  parts: COUNT,
  drainBytes: { min: 0, integer: true },
  drainSeconds: { min: 0, max: 60 },
};

/**
 * Returns the limits with their defaults.
 *
 * @throws TypeError that names the limit that cannot be used.
 */
export function checkLimits(limits: Limits = {}): Required<Limits> {
  return { ...DEFAULT_LIMITS, ...defined(objectOption('limits', limits, RULES)) };
}
