/**
 * The servers that can be simulated.
 *
 * - `exchange`: Exchange Server, as it is documented, with streams as they were recorded.
 * - `grommunio`: grommunio 3.10.
 * - `grommunio-3.9`: grommunio 3.9 and earlier: every end of a stream cancels its subscriptions, and a stream
 *   names the subscriptions that it lost with class Success.
 */
export type EwsDialect = 'exchange' | 'grommunio' | 'grommunio-3.9';

/** Whether a dialect is of one of the versions of grommunio. */
export function isGrommunio(dialect: EwsDialect): boolean {
  return dialect !== 'exchange';
}

/** An operation that the server refuses, in the protocol's own words. */
export class EwsErrorResponse extends Error {
  override readonly name: string = 'EwsErrorResponse';
  /** A fault comes in place of the operation's response. */
  readonly type: 'error' | 'fault';
  readonly code: string;
  /** What stands in MessageXml. */
  readonly values: Readonly<Record<string, string>>;

  constructor(
    kind: 'error' | 'fault',
    code: string,
    message: string,
    values: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.type = kind;
    this.code = code;
    this.values = values;
  }
}

/** The id of the `count`-th subscription that a server made since it was started `starts` times. */
export function subscriptionIdOf(
  dialect: EwsDialect,
  starts: number,
  count: number,
  timeoutMinutes: number,
): string {
  if (!isGrommunio(dialect)) {
    return btoa(
      `mbx01.exchange.example/${String(starts).padStart(4, '0')}/${String(count).padStart(10, '0')}`,
    );
  }
  // Two little-endian numbers, the count and the timeout: the ids of before a restart are given again after it.
  return btoa(String.fromCharCode(...littleEndian(count), ...littleEndian(timeoutMinutes)));
}

/** The watermark behind an event of a mailbox's history, since that was forgotten `forgotten` times. */
export function watermarkOf(sequence: number, forgotten: number): string {
  return btoa(`watermark:${String(forgotten).padStart(4, '0')}:${String(sequence).padStart(10, '0')}`);
}

/** The place in the history that a watermark stands for, or undefined where it is none, or forgotten. */
export function sequenceOf(watermark: string, forgotten: number): number | undefined {
  try {
    const digits = /^watermark:(\d{4}):(\d{10})$/.exec(atob(watermark));
    return Number(digits?.[1] ?? Number.NaN) === forgotten ? Number(digits?.[2]) : undefined;
  } catch {
    return undefined;
  }
}

function littleEndian(value: number): readonly number[] {
  return [0, 8, 16, 24].map((bits) => (value >>> bits) & 0xff);
}
